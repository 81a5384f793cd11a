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

Result<void> CachingLedger::stage(const StagedChanges& changes) {
  const std::lock_guard lock(mutex_);
  staged_.reset();
  HANSA_TRY_VOID(durable_->stage(changes));
  staged_ = changes;
  return {};
}

Result<bool> CachingLedger::apply(TaskId task) {
  const std::lock_guard lock(mutex_);
  Scopes held = std::exchange(held_, {});
  Scopes found = std::exchange(found_, {});
  HANSA_TRY(const bool is_applied, durable_->apply(task));
  if (!is_applied) {
    held_ = std::move(held);
    found_ = std::move(found);
    return false;
  }
  applied_ = task;
  const auto staged = std::exchange(staged_, std::nullopt);
  if (asking_ != task || !staged) return true;
  held_ = std::move(found);
  for (auto& [scope, vectors] : held_) {
    const std::string prefix = scope + "/";
    for (const auto& [name, vector] : staged->vectors)
      if (name.starts_with(prefix)) vectors.insert_or_assign(name.substr(prefix.size()), vector);
  }
  return true;
}

}  // namespace hansa::client
