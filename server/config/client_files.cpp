#include "server/config/client_files.h"

#include <algorithm>
#include <set>

#include "common/name_pattern.h"

namespace hansa::server {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t entries_max = 1'000'000;

using Components = std::span<const std::string>;

class Search {
 public:
  // False if there are too many entries.
  bool find(const fs::path& folder, Components pattern) {
    const std::string& first = pattern.front();
    const Components rest = pattern.subspan(1);
    if (first == "**") {
      // No folder in place of `**`, then each folder in turn.
      if (!rest.empty() && !find(folder, rest)) return false;
      return for_each(folder, [&](const fs::directory_entry& entry, const std::string& name) {
        std::error_code error;
        if (name.starts_with('.')) return true;
        if (entry.is_directory(error) && !entry.is_symlink(error)) return find(entry.path(), pattern);
        return !rest.empty() || take(entry.path());
      });
    }
    if (first.find('*') == std::string::npos) return step(folder / first, rest);
    return for_each(folder, [&](const fs::directory_entry& entry, const std::string& name) {
      if (name.starts_with('.') && !first.starts_with('.')) return true;
      return !matches_pattern(name, first) || step(entry.path(), rest);
    });
  }
  [[nodiscard]] std::vector<fs::path> found() const { return {found_.begin(), found_.end()}; }

 private:
  bool step(const fs::path& path, Components rest) { return rest.empty() ? take(path) : find(path, rest); }

  bool take(const fs::path& path) {
    std::error_code error;
    if (fs::is_regular_file(path, error)) found_.insert(path.lexically_normal());
    return true;
  }

  template <typename Visit>
  bool for_each(const fs::path& folder, const Visit& visit) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      if (++visited_ > entries_max) return false;
      if (!visit(*entry, entry->path().filename().string())) return false;
    }
    return true;
  }

  std::set<fs::path> found_;
  std::size_t visited_ = 0;
};

}  // namespace

Result<std::vector<fs::path>> find_client_files(std::span<const fs::path> patterns,
                                                const std::string& location) {
  Search search;
  for (const fs::path& pattern : patterns) {
    std::vector<std::string> components;
    for (const fs::path& part : pattern.relative_path())
      if (!part.empty()) components.push_back(part.string());
    const fs::path start = pattern.is_absolute() ? pattern.root_path() : fs::path(".");
    if (!components.empty() && !search.find(start, components))
      return fail(ErrorCode::usage, location,
                  "\"" + pattern.string() + "\" leads through more than a million files",
                  "name the clients' folder before the first wildcard, for example \"sites/**/client.toml\"");
  }
  return search.found();
}

}  // namespace hansa::server
