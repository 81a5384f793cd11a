// Opening files when descriptors are short.
#pragma once
#include <sys/types.h>

#include <filesystem>

#include "common/descriptor.h"

namespace hansa {

// open(2). If no descriptor is left, tries again for up to two seconds: connections that are being closed give theirs
// back. errno as open(2) sets it.
[[nodiscard]] Descriptor open_file(const std::filesystem::path& path, int flags, mode_t mode = 0);
// The same by openat(2): a relative path is that of a file in `folder`.
[[nodiscard]] Descriptor open_file_at(const Descriptor& folder, const std::filesystem::path& path, int flags,
                                      mode_t mode = 0);

}  // namespace hansa
