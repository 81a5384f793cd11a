#include "server/store/memory_catalogue.h"

namespace hansa::server {

Result<std::vector<std::string>> MemoryCatalogue::list() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : runs_) names.push_back(name);
  return names;
}

Result<MemoryCatalogue::Entry*> MemoryCatalogue::find(const std::string& name) {
  const auto found = runs_.find(name);
  if (found == runs_.end()) return fail(ErrorCode::storage, name, "is no run");
  return &found->second;
}

std::unique_ptr<Run> MemoryCatalogue::open_entry(const std::string& name, Entry& entry,
                                                 MemoryRunOptions options) {
  options.name = name;
  options.scratch = scratch_ / name;
  return std::make_unique<MemoryStore>(entry.disk, MemoryStore::BeforeStep{}, std::move(options));
}

Result<std::unique_ptr<Run>> MemoryCatalogue::create(const std::string& name, const Retention& retention) {
  if (runs_.contains(name)) return fail(ErrorCode::storage, name, "is there already");
  runs_[name].disk = std::make_shared<MemoryDisk>();
  return open(name, retention);
}

Result<std::unique_ptr<Run>> MemoryCatalogue::open(const std::string& name, const Retention& retention) {
  HANSA_TRY(Entry * entry, find(name));
  return open_entry(name, *entry, {.retention = retention});
}

Result<std::unique_ptr<Run>> MemoryCatalogue::open_read_only(const std::string& name) {
  HANSA_TRY(Entry * entry, find(name));
  return open_entry(name, *entry, {.access = MemoryAccess::read_only});
}

Result<bool> MemoryCatalogue::is_empty(const std::string& name) {
  HANSA_TRY(const Entry* entry, find(name));
  return !entry->disk->identity;
}

void MemoryCatalogue::remove_abandoned() {
  for (auto& [name, entry] : runs_) (void)open_entry(name, entry, {});
}

}  // namespace hansa::server
