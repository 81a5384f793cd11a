#include "server/store/run_listing.h"

#include <algorithm>
#include <string_view>

#include "server/store/run_catalogue.h"

namespace hansa::server {
namespace {

namespace fs = std::filesystem;

bool is_ignored(const fs::path& path, Links links) {
  std::error_code ignored;
  return links == Links::ignored && fs::is_symlink(path, ignored);
}

Result<std::vector<std::string>> subfolders(const fs::path& folder, Links links) {
  HANSA_TRY(std::vector<std::string> names, open_catalogue(folder)->list());
  std::erase_if(names, [&](const std::string& name) { return is_ignored(folder / name, links); });
  return names;
}

}  // namespace

const char* name(RunState state) {
  switch (state) {
    case RunState::running: return "running";
    case RunState::stopped: return "stopped";
    case RunState::finished: return "finished";
    case RunState::empty: return "not begun";
    case RunState::unreadable: return "unreadable";
  }
  return "";
}

bool is_run_folder(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder / "federation.toml", error)) return false;  // it may have a folder models/ of its own
  return std::ranges::any_of(std::initializer_list<const char*>{"run.sqlite", "run.sqlite-wal",
                                                                "metrics.jsonl", "models", "archive.pt"},
                             [&](const char* part) { return fs::exists(folder / part, error) || error; });
}

std::string time_in_run_name(const std::string& name) {
  constexpr std::string_view pattern = "-dddddddd-dddddd";
  if (name.size() < pattern.size()) return {};
  for (std::size_t at = name.size() - pattern.size() + 1; at-- > 0;) {
    const std::string_view text = std::string_view(name).substr(at, pattern.size());
    const bool matches = std::ranges::equal(
        text, pattern, [](char c, char p) { return p == 'd' ? c >= '0' && c <= '9' : c == p; });
    if (!matches) continue;
    const auto part = [&](std::size_t from, std::size_t count) {
      return std::string(text.substr(from, count));
    };
    return part(1, 4) + "-" + part(5, 2) + "-" + part(7, 2) + "T" + part(10, 2) + ":" + part(12, 2) + ":" +
           part(14, 2) + "Z";
  }
  return {};
}

Result<std::vector<ListedRun>> list_run_folders(const fs::path& folder, Links links) {
  HANSA_TRY(auto names, subfolders(folder, links));
  std::error_code error;
  const fs::path simulated = folder / simulated_folder;
  if (fs::is_directory(simulated, error) && !is_ignored(simulated, links))
    names.emplace_back(simulated_folder);
  std::vector<ListedRun> out;
  for (const std::string& name : names) {
    if (is_run_folder(folder / name)) {
      out.push_back({name, folder / name});
      continue;
    }
    // A folder that groups runs.
    const auto inner_names = subfolders(folder / name, links);
    if (!inner_names) {
      out.push_back({name, folder / name, inner_names.error()});
      continue;
    }
    for (const std::string& inner : *inner_names)
      if (is_run_folder(folder / name / inner)) out.push_back({name + "/" + inner, folder / name / inner});
  }
  return out;
}

}  // namespace hansa::server
