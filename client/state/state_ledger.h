// The ledger of a client with a state: vectors and examples change in one SQLite transaction.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "client/ledger/device_ledger.h"
#include "client/state/state_store.h"

namespace hansa::client {

class StateLedger final : public DeviceLedger {
 public:
  StateLedger(std::shared_ptr<StateStore> store, ApplyOptions options)
      : store_(std::move(store)), options_(std::move(options)) {}

  [[nodiscard]] Result<learning::KeptVectors> find(TaskId task, std::string_view scope) override {
    return store_->find(task, scope);
  }
  [[nodiscard]] Result<void> stage(const StagedChanges& changes) override {
    return store_->stage(changes, options_);
  }
  [[nodiscard]] Result<bool> apply(TaskId task) override { return store_->apply(task, options_); }

 private:
  std::shared_ptr<StateStore> store_;
  ApplyOptions options_;
};

}  // namespace hansa::client
