#include "common/open_file.h"

#include <cerrno>
#include <chrono>
#include <thread>

#include <fcntl.h>

namespace hansa {

namespace {

Descriptor open_at(int folder, const std::filesystem::path& path, int flags, mode_t mode) {
  constexpr int attempts_max = 100;
  constexpr std::chrono::milliseconds pause(20);
  for (int attempt = 1;; ++attempt) {
    Descriptor file(::openat(folder, path.c_str(), flags, mode));
    if (file || (errno != EMFILE && errno != ENFILE) || attempt == attempts_max) return file;
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

Descriptor open_file(const std::filesystem::path& path, int flags, mode_t mode) {
  return open_at(AT_FDCWD, path, flags, mode);
}

Descriptor open_file_at(const Descriptor& folder, const std::filesystem::path& path, int flags, mode_t mode) {
  return open_at(folder.get(), path, flags, mode);
}

}  // namespace hansa
