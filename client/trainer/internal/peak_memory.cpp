#include "client/trainer/internal/peak_memory.h"

#include <fstream>
#include <string>

namespace hansa::client::internal {

std::uint64_t peak_memory(pid_t process) {
  std::ifstream lines("/proc/" + std::to_string(process) + "/status");
  std::string word;
  while (lines >> word) {
    if (word != "VmHWM:") continue;
    std::uint64_t kib = 0;
    return lines >> kib ? kib << 10 : 0;
  }
  return 0;
}

}  // namespace hansa::client::internal
