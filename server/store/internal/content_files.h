// Folders of files that are named by their content: <64 hex digits>SUFFIX.
#pragma once
#include <filesystem>
#include <string>
#include <unordered_set>

#include "common/digest.h"
#include "common/error.h"

namespace hansa::server::internal {

// Removes the files whose names have the suffix and whose digests are not in named. Other files stay. A file that
// cannot be removed stays until the next call.
[[nodiscard]] Result<void> remove_unnamed(const std::filesystem::path& folder, const std::string& suffix,
                                          const std::unordered_set<Digest>& named);

}  // namespace hansa::server::internal
