#include "learning/data/follow/arrived_file.h"

#include <cerrno>
#include <cstring>

#include <sys/stat.h>
#include <unistd.h>

namespace hansa::learning::internal {

std::string ArrivedFile::identity() const {
  return path.string() + "#" + std::to_string(size) + "-" + std::to_string(changed_ns) + "-" +
         std::to_string(inode);
}

std::optional<ArrivedFile> look_at(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return ArrivedFile{path, status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec,
                     static_cast<std::uint64_t>(status.st_size), status.st_ino};
}

std::optional<Error> remove_consumed(const ArrivedFile& file) {
  if (::unlink(file.path.c_str()) == 0 || errno == ENOENT) return std::nullopt;
  return Error{ErrorCode::data,
               file.path.string(),
               std::string("was consumed, but cannot be removed (") + std::strerror(errno) + ")",
               {},
               {ReasonCode::file_kept, {}}};
}

}  // namespace hansa::learning::internal
