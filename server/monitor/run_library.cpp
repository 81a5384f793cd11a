#include "server/monitor/run_library.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace hansa::server {
namespace {

namespace fs = std::filesystem;

// "mine" of mine/runs, because most folders of runs have the same name.
std::string name_of(const fs::path& folder) {
  const fs::path path = fs::absolute(folder).lexically_normal();
  const fs::path ends = path.filename().empty() ? path.parent_path() : path;
  const fs::path named = ends.filename() == "runs" ? ends.parent_path() : ends;
  return named.filename().empty() ? "runs" : named.filename().string();
}

}  // namespace

RunLibrary::RunLibrary(std::vector<fs::path> folders, std::size_t texts_bytes_max)
    : texts_bytes_max_(texts_bytes_max) {
  std::set<std::string> used;
  for (fs::path& folder : folders) {
    const std::string wanted = name_of(folder);
    std::string unused = wanted;
    for (int i = 2; !used.insert(unused).second; ++i) unused = wanted + "-" + std::to_string(i);
    folders_.push_back({std::move(folder), folders.size() > 1 ? unused + "/" : ""});
  }
}

Result<void> RunLibrary::list() {
  std::set<std::string> there;
  for (const Folder& folder : folders_) {
    HANSA_TRY(auto listed, list_run_folders(folder.path, Links::ignored));
    for (ListedRun& run : listed) {
      run.name = folder.prefix + run.name;
      there.insert(run.name);
      Entry& entry = runs_[run.name];
      const bool is_known = entry.source && !entry.source->problem() && !run.problem;
      if (!is_known) entry.source = std::make_unique<RunSource>(std::move(run));
    }
  }
  std::erase_if(runs_, [&](const auto& run) { return !there.contains(run.first); });
  return {};
}

Result<std::vector<RunSource*>> RunLibrary::all() {
  HANSA_TRY_VOID(list());
  std::vector<RunSource*> out;
  for (auto& [name, entry] : runs_) {
    (void)entry.source->refresh();  // a problem is shown with the run
    entry.used = ++uses_;
    out.push_back(entry.source.get());
  }
  std::ranges::stable_sort(out, [](const RunSource* a, const RunSource* b) {
    return std::tie(a->started_at(), a->name()) > std::tie(b->started_at(), b->name());
  });
  return out;
}

Result<RunSource*> RunLibrary::find(std::string_view name) {
  auto found = runs_.find(name);
  std::error_code error;
  const bool is_there = found != runs_.end() &&
                        fs::is_directory(fs::symlink_status(found->second.source->folder(), error)) && !error;
  if (!is_there) {
    HANSA_TRY_VOID(list());
    found = runs_.find(name);
    if (found == runs_.end()) return nullptr;
  }
  found->second.used = ++uses_;
  return found->second.source.get();
}

void RunLibrary::tidy() {
  std::size_t bytes = 0;
  std::vector<Entry*> kept;
  for (auto& [name, entry] : runs_) {
    entry.source->close();
    bytes += entry.source->bytes();
    if (entry.source->bytes() > 0) kept.push_back(&entry);
  }
  std::ranges::sort(kept, {}, &Entry::used);
  for (Entry* entry : kept) {
    if (bytes <= texts_bytes_max_) return;
    bytes -= entry->source->bytes();
    entry->source->drop_texts();
  }
}

}  // namespace hansa::server
