#include "common/open_file.h"

#include <cerrno>
#include <chrono>
#include <thread>

#include <fcntl.h>

namespace hansa {

Descriptor open_file(const std::filesystem::path& path, int flags, mode_t mode) {
  constexpr int attempts_max = 100;
  constexpr std::chrono::milliseconds pause(20);
  for (int attempt = 1;; ++attempt) {
    Descriptor file(::open(path.c_str(), flags, mode));
    if (file || (errno != EMFILE && errno != ENFILE) || attempt == attempts_max) return file;
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace hansa
