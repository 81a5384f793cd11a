// Writes a file piece by piece, and replaces another one atomically and durably when it is complete.
#pragma once
#include <filesystem>
#include <functional>

#include "common/descriptor.h"
#include "common/error.h"
#include "common/files.h"

namespace hansa {

// Calls write(file, path) for a temporary file in the same folder, fsyncs it, renames it over `path`, and fsyncs the
// folder: after a crash the file holds the old bytes or the new ones. If write() fails, the old file stays.
[[nodiscard]] Result<void> replace_file(
    const std::filesystem::path& path, FileAccess access,
    const std::function<Result<void>(const Descriptor& file, const std::filesystem::path& path)>& write);

}  // namespace hansa
