// Keeps durably which sums the client helped to open (secure_aggregation/opened_sums.h). Any thread may call.
#pragma once
#include <mutex>
#include <vector>

#include "common/error.h"
#include "protocols/secure_aggregation/opened_sums.h"

namespace hansa::client {

class OpenedSumsStore {
 public:
  virtual ~OpenedSumsStore() = default;
  // From the oldest to the newest; at most opened_sums_max. Fails (storage).
  [[nodiscard]] virtual Result<std::vector<secure_aggregation::OpenedSum>> all() = 0;
  // Durable when it returns. Fails (storage, resource).
  [[nodiscard]] virtual Result<void> add(const secure_aggregation::OpenedSum& sum) = 0;
};

// For tests and simulations.
class MemoryOpenedSums final : public OpenedSumsStore {
 public:
  [[nodiscard]] Result<std::vector<secure_aggregation::OpenedSum>> all() override {
    const std::lock_guard lock(mutex_);
    return sums_;
  }
  [[nodiscard]] Result<void> add(const secure_aggregation::OpenedSum& sum) override {
    const std::lock_guard lock(mutex_);
    sums_.push_back(sum);
    return {};
  }

 private:
  std::mutex mutex_;
  std::vector<secure_aggregation::OpenedSum> sums_;
};

}  // namespace hansa::client
