#include "server/store/internal/content_files.h"

#include <vector>

namespace hansa::server::internal {

Result<void> remove_unnamed(const std::filesystem::path& folder, const std::string& suffix,
                            const std::unordered_set<Digest>& named) {
  std::vector<std::filesystem::path> unnamed;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() != suffix) continue;
    const auto digest = parse_digest(path.stem().string());
    if (digest && !named.contains(*digest)) unnamed.push_back(path);
  }
  if (error) return fail(ErrorCode::storage, folder.string(), "cannot be read (" + error.message() + ")");
  for (const auto& path : unnamed) {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
  return {};
}

}  // namespace hansa::server::internal
