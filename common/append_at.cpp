#include "common/append_at.h"

#include <cerrno>

#include <unistd.h>

namespace hansa {

Result<void> append_at(const Descriptor& file, std::int64_t& size, std::string_view bytes,
                       const std::filesystem::path& path) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::pwrite(file.get(), bytes.data() + done, bytes.size() - done,
                               size + static_cast<std::int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      auto error = fail_with_errno(path, "cannot be written");
      (void)!::ftruncate(file.get(), size);
      return error;
    }
    done += static_cast<std::size_t>(n);
  }
  size += static_cast<std::int64_t>(bytes.size());
  return {};
}

}  // namespace hansa
