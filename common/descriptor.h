// An owning file descriptor, errno as an Error, and writes that are complete or fail.
#pragma once
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include <unistd.h>

#include "common/error.h"

namespace hansa {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// The error of the system call that just failed, from errno. Its code is storage.
[[nodiscard]] inline tl::unexpected<Error> fail_with_errno(const std::filesystem::path& path,
                                                           std::string what) {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT;
  return fail(ErrorCode::storage, path.string(), std::move(what) + " (" + std::strerror(error) + ")",
              full ? "free disk space; nothing that was committed is lost" : "");
}

// Writes all bytes. The path names the file in the error.
[[nodiscard]] inline Result<void> write_whole(const Descriptor& file, std::span<const std::byte> bytes,
                                              const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_with_errno(path, "cannot be written");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace hansa
