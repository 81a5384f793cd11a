// The clients' files that a simulation runs, by patterns of paths.
//
// `*` in a component matches any characters of a name; a component `**` matches any number of folders, also none. As in
// a shell, wildcards do not match names that start with a dot, and `**` does not follow symbolic links.
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"

namespace hansa::server {

// All matches, sorted, each once. A folder that cannot be read has no match. Fails (usage) at `location` if the patterns
// lead through more than a million files and folders.
[[nodiscard]] Result<std::vector<std::filesystem::path>> find_client_files(
    std::span<const std::filesystem::path> patterns, const std::string& location);

}  // namespace hansa::server
