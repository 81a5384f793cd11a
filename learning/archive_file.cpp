#include "learning/archive_file.h"

#include <vector>

#include <sys/stat.h>

#include "common/files.h"
#include "common/read_at.h"

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
  for (std::uint64_t at = 0;;) {
    const auto read = read_at(*file_, at, bytes);
    if (!read) return fail_with_errno(path_, "cannot be read");
    hash.update(std::span<const std::byte>(bytes).first(*read));
    if (*read < bytes.size()) return hash.finish();
    at += *read;
  }
}

}  // namespace hansa::learning
