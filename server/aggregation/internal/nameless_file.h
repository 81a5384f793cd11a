// A file without a name, which disappears when it is closed, also by a crash.
#pragma once
#include <filesystem>
#include <string>

#include "common/descriptor.h"
#include "common/error.h"

namespace hansa::server::internal {

// The error of a file in this folder, from errno. hint: what helps if the disk is full.
[[nodiscard]] tl::unexpected<Error> fail_with(int error, const std::filesystem::path& folder,
                                              std::string what, const char* hint);

// In the folder, which exists. Fails (storage). hint: as above.
[[nodiscard]] Result<Descriptor> open_nameless(const std::filesystem::path& folder, const char* hint);

}  // namespace hansa::server::internal
