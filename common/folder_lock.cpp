#include "common/folder_lock.h"

#include <array>
#include <chrono>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>

namespace hansa {
namespace {

std::string read_owner(int file) {
  std::array<char, 32> text{};
  const ssize_t n = ::pread(file, text.data(), text.size(), 0);
  std::string owner;
  for (ssize_t i = 0; i < n; ++i) {
    const char c = text[static_cast<std::size_t>(i)];
    if (c < '0' || c > '9') break;
    owner.push_back(c);
  }
  return owner.empty() ? "(unknown)" : owner;
}

}  // namespace

Result<Descriptor> lock_folder(const std::filesystem::path& folder, const std::string& hint) {
  const auto path = folder / "lock";
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file) return fail_with_errno(path, "cannot be opened");
  // is_folder_locked() of another process holds it for microseconds.
  constexpr int attempts_max = 10;
  for (int attempt = 1; ::flock(file.get(), LOCK_EX | LOCK_NB) != 0;) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return fail_with_errno(path, "cannot be locked");
    if (attempt++ < attempts_max) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      continue;
    }
    return fail(ErrorCode::storage, folder.string(), "is in use by process " + read_owner(file.get()), hint);
  }
  const std::string owner = std::to_string(::getpid()) + "\n";
  // The process id is only for the message above: if it cannot be written, the lock is held all the same.
  if (::ftruncate(file.get(), 0) == 0) (void)!::pwrite(file.get(), owner.data(), owner.size(), 0);
  return file;
}

bool is_folder_locked(const std::filesystem::path& folder) {
  const Descriptor file(::open((folder / "lock").c_str(), O_RDONLY | O_CLOEXEC));
  return file && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace hansa
