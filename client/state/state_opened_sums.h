// The opened sums in a client's state.
#pragma once
#include <memory>
#include <vector>

#include "client/ledger/opened_sums_store.h"
#include "client/state/state_store.h"

namespace hansa::client {

class StateOpenedSums final : public OpenedSumsStore {
 public:
  explicit StateOpenedSums(std::shared_ptr<StateStore> store) : store_(std::move(store)) {}
  [[nodiscard]] Result<std::vector<secure_aggregation::OpenedSum>> all() override {
    return store_->opened_sums();
  }
  [[nodiscard]] Result<void> add(const secure_aggregation::OpenedSum& sum) override {
    return store_->add_opened(sum);
  }

 private:
  std::shared_ptr<StateStore> store_;
};

}  // namespace hansa::client
