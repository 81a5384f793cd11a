// What a run folder holds, judged by its files alone, before its database is opened.
#pragma once
#include <filesystem>
#include <string>
#include <unordered_set>

#include "common/digest.h"
#include "common/error.h"

namespace hansa::server::internal {

// Fails (storage) if that cannot be read, for example for lack of permission.
[[nodiscard]] Result<bool> is_there(const std::filesystem::path& path);
// Whether nothing of a run is in the folder: no table in run.sqlite, and no line in metrics.jsonl.
[[nodiscard]] Result<bool> is_empty(const std::filesystem::path& folder);
// A missing or empty run.sqlite becomes a new run, which must not replace one that lost it. Fails (storage) if the folder
// held a run.
[[nodiscard]] Result<void> require_no_lost_database(const std::filesystem::path& folder);
// Whether the folder has temporary files that a crash left, or files with the suffix whose digest is not in `named`.
[[nodiscard]] bool has_left(const std::filesystem::path& folder, const std::string& suffix,
                            const std::unordered_set<Digest>& named);

}  // namespace hansa::server::internal
