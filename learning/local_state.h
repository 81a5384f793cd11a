// What a client keeps from round to round, by name: personal layers today, residuals and control variates later.
#pragma once
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"

namespace hansa::learning {

// Any thread may call.
class LocalState {
 public:
  virtual ~LocalState() = default;
  [[nodiscard]] virtual Result<std::optional<std::vector<std::byte>>> get(const std::string& key) = 0;
  // Durable and whole when it returns.
  [[nodiscard]] virtual Result<void> put(const std::string& key, std::span<const std::byte> value) = 0;
};

class MemoryState final : public LocalState {
 public:
  Result<std::optional<std::vector<std::byte>>> get(const std::string& key) override {
    const std::lock_guard lock(mutex_);
    const auto found = values_.find(key);
    if (found == values_.end()) return std::nullopt;
    return found->second;
  }
  Result<void> put(const std::string& key, std::span<const std::byte> value) override {
    const std::lock_guard lock(mutex_);
    values_[key].assign(value.begin(), value.end());
    return {};
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<std::byte>> values_;
};

}  // namespace hansa::learning
