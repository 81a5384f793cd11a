#include "server/aggregation/internal/nameless_file.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "common/open_file.h"

namespace hansa::server::internal {

tl::unexpected<Error> fail_with(int error, const std::filesystem::path& folder, std::string what,
                                const char* hint) {
  return fail(ErrorCode::storage, folder.string(), std::move(what) + " (" + std::strerror(error) + ")",
              error == ENOSPC || error == EDQUOT ? hint : "");
}

Result<Descriptor> open_nameless(const std::filesystem::path& folder, const char* hint) {
  Descriptor file = open_file(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file) return file;
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)
    return fail_with(errno, folder, "allows no file for an update", hint);
  // The file system has no O_TMPFILE: the file has a name until it is unlinked below.
  std::string name = (folder / "spool-XXXXXX").string();
  file = Descriptor(::mkostemp(name.data(), O_CLOEXEC));
  if (!file) return fail_with(errno, folder, "allows no file for an update", hint);
  ::unlink(name.c_str());
  return file;
}

}  // namespace hansa::server::internal
