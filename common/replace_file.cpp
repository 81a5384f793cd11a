#include "common/replace_file.h"

#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/open_file.h"

namespace hansa {

Result<void> replace_file(
    const std::filesystem::path& path, FileAccess access,
    const std::function<Result<void>(const Descriptor& file, const std::filesystem::path& path)>& write) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const std::filesystem::path temporary = path.string() + ".tmp" + std::to_string(::getpid());
  const auto write_and_rename = [&]() -> Result<void> {
    const mode_t mode = access == FileAccess::owner_only ? 0600 : 0644;
    // A file of this name is left from a process that ended, or is somebody else's, who could then read a secret key.
    ::unlink(temporary.c_str());
    const Descriptor file = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (!file) return fail_with_errno(temporary, "cannot be created");
    HANSA_TRY_VOID(write(file, temporary));
    if (::fsync(file.get()) != 0) return fail_with_errno(temporary, "cannot be flushed to disk");
    if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_with_errno(path, "cannot be replaced");
    return {};
  };
  if (auto written = write_and_rename(); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  const Descriptor directory = open_file(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!directory || ::fsync(directory.get()) != 0)
    return fail_with_errno(folder, "cannot be flushed to disk");
  return {};
}

}  // namespace hansa
