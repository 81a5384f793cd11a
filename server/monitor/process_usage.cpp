#include "server/monitor/process_usage.h"

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

namespace hansa::server {
namespace {

std::uint64_t open_descriptors() {
  DIR* const folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  std::uint64_t entries = 0;
  while (::readdir(folder) != nullptr) ++entries;
  ::closedir(folder);
  return entries > 3 ? entries - 3 : 0;  // ".", "..", and that of the folder itself
}

double boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;)
    if (double seconds = 0; word == "btime" && file >> seconds) return seconds;
  return 0;
}

}  // namespace

ProcessUsage process_usage() {
  ProcessUsage out;
  std::ifstream file("/proc/self/stat");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  // The second field is the program's name in brackets, which may contain anything. Fields: proc(5).
  if (const std::size_t name_end = text.rfind(')'); name_end != std::string::npos) {
    std::istringstream fields(text.substr(name_end + 1));
    const double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    std::string field;
    double user = 0, system = 0;
    for (int i = 3; fields >> field; ++i) {
      if (i == 14) user = std::stod(field);
      if (i == 15) system = std::stod(field);
      if (i == 22) out.start_time_seconds = boot_time() + std::stod(field) / ticks;
      if (i == 24) {
        out.resident_bytes = std::stoull(field) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        break;
      }
    }
    out.cpu_seconds = (user + system) / ticks;
  }
  out.open_fds = open_descriptors();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) out.fds_max = limit.rlim_cur;
  return out;
}

}  // namespace hansa::server
