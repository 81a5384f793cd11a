#include "server/store/internal/folder_contents.h"

#include "server/store/internal/database.h"

namespace hansa::server::internal {
namespace {

// metrics.jsonl gets its first line after the first evaluation or round.
Result<bool> has_metrics(const std::filesystem::path& folder) {
  const auto file = folder / "metrics.jsonl";
  HANSA_TRY(const bool found, is_there(file));
  std::error_code ignored;
  return found && std::filesystem::file_size(file, ignored) > 0;
}

}  // namespace

Result<bool> is_there(const std::filesystem::path& path) {
  std::error_code error;
  const bool found = std::filesystem::exists(path, error);
  if (error) return fail(ErrorCode::storage, path.string(), "cannot be read (" + error.message() + ")");
  return found;
}

Result<bool> is_empty(const std::filesystem::path& folder) {
  HANSA_TRY(const bool ran, has_metrics(folder));
  if (ran) return false;
  const auto file = folder / "run.sqlite";
  HANSA_TRY(const bool found, is_there(file));
  if (!found) return true;
  return Database::is_empty(file);
}

Result<void> require_no_lost_database(const std::filesystem::path& folder) {
  const auto file = folder / "run.sqlite";
  HANSA_TRY(const bool found, is_there(file));
  std::error_code ignored;
  if (found && std::filesystem::file_size(file, ignored) > 0) return {};
  HANSA_TRY(const bool ran, has_metrics(folder));
  if (!ran) return {};
  return fail(ErrorCode::storage, file.string(), "is missing or empty, and the folder held a run",
              damaged_hint);
}

bool has_left(const std::filesystem::path& folder, const std::string& suffix,
              const std::unordered_set<Digest>& named) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::filesystem::path& path = entry->path();
    const std::string extension = path.extension().string();
    if (extension.starts_with(".tmp")) return true;
    if (suffix.empty() || extension != suffix) continue;
    const auto digest = parse_digest(path.stem().string());
    if (digest && !named.contains(*digest)) return true;
  }
  return false;
}

}  // namespace hansa::server::internal
