#include "client/ledger/caching_ledger.h"

#include <utility>

namespace hansa::client {

Result<learning::KeptVectors> CachingLedger::find(TaskId task, std::string_view scope) {
  const std::lock_guard lock(mutex_);
  if (asking_ != task) found_.clear();
  asking_ = task;
  const auto held = task == applied_ ? held_.end() : held_.find(scope);
  if (held != held_.end()) return found_[held->first] = held->second;
  HANSA_TRY(auto found, durable_->find(task, scope));
  return found_[std::string(scope)] = std::move(found);
}

Result<void> CachingLedger::apply(const StagedChanges& changes) {
  const std::lock_guard lock(mutex_);
  held_.clear();
  Scopes found = std::exchange(found_, {});
  HANSA_TRY_VOID(durable_->apply(changes));
  applied_ = changes.task;
  if (asking_ != changes.task) return {};
  held_ = std::move(found);
  for (auto& [scope, vectors] : held_) {
    const std::string prefix = scope + "/";
    for (const auto& [name, vector] : changes.vectors)
      if (name.starts_with(prefix)) vectors.insert_or_assign(name.substr(prefix.size()), vector);
  }
  return {};
}

}  // namespace hansa::client
