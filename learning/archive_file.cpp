#include "learning/archive_file.h"

#include <vector>

#include <sys/stat.h>

#include "common/files.h"

namespace hansa::learning {

std::string ArchiveFile::identity() const {
  if (is_open()) return identity_;
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) return {};
  std::string out = path_.string();
  for (const auto value :
       {static_cast<std::int64_t>(status.st_dev), static_cast<std::int64_t>(status.st_ino),
        static_cast<std::int64_t>(status.st_size), static_cast<std::int64_t>(status.st_mtim.tv_sec),
        static_cast<std::int64_t>(status.st_mtim.tv_nsec)})
    out += " " + std::to_string(value);
  return out;
}

Result<Digest> ArchiveFile::digest() const {
  if (!is_open()) return digest_of_file(path_);
  Sha256 hash;
  std::vector<std::byte> bytes(1 << 16);
  for (off_t at = 0;;) {
    const ssize_t n = ::pread(file_->get(), bytes.data(), bytes.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_with_errno(path_, "cannot be read");
    if (n == 0) return hash.finish();
    hash.update(std::span<const std::byte>(bytes).first(static_cast<std::size_t>(n)));
    at += n;
  }
}

}  // namespace hansa::learning
