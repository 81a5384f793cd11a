#include "client/ledger/memory_ledger.h"

#include <utility>

namespace hansa::client {

Result<learning::KeptVectors> MemoryLedger::find(TaskId task, std::string_view scope) {
  const std::lock_guard lock(mutex_);
  const std::string prefix = std::string(scope) + "/";
  learning::KeptVectors out;
  for (const auto& [name, vector] : vectors_) {
    if (!name.starts_with(prefix)) continue;
    const auto before = last_ == task ? replaced_.find(name) : replaced_.end();
    if (before == replaced_.end()) out.emplace(name.substr(prefix.size()), vector);
    else if (before->second) out.emplace(name.substr(prefix.size()), *before->second);
  }
  return out;
}

Result<void> MemoryLedger::stage(const StagedChanges& changes) {
  const std::lock_guard lock(mutex_);
  staged_ = changes;
  return {};
}

Result<bool> MemoryLedger::apply(TaskId task) {
  const std::lock_guard lock(mutex_);
  if (!staged_ || staged_->task != task) return false;
  if (last_ == task) {
    for (auto& [name, before] : replaced_) {
      if (before) vectors_[name] = *std::move(before);
      else vectors_.erase(name);
    }
  }
  replaced_.clear();
  last_ = task;
  for (const auto& [name, vector] : staged_->vectors) {
    const auto [at, is_new] = vectors_.try_emplace(name);
    replaced_.emplace(name, is_new ? std::nullopt : std::optional(std::exchange(at->second, {})));
    at->second = vector;
  }
  staged_.reset();
  return true;
}

}  // namespace hansa::client
