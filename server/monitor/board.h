// The newest value of something, from the thread that makes it to those that show it.
//
// Thread-safe. A lock is held only while a pointer is exchanged, so that a reader cannot delay the writer.
#pragma once
#include <memory>
#include <mutex>
#include <utility>

namespace hansa::server {

template <class Value>
class Board {
 public:
  void set(Value value) {
    std::shared_ptr<const Value> next = std::make_shared<const Value>(std::move(value));
    const std::lock_guard lock(mutex_);
    latest_.swap(next);
  }
  // Null: nothing was set.
  [[nodiscard]] std::shared_ptr<const Value> latest() const {
    const std::lock_guard lock(mutex_);
    return latest_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Value> latest_;
};

}  // namespace hansa::server
