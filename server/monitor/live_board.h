// The newest state of the aggregator, from the engine's thread to those that show it.
//
// Thread-safe. A lock is held only while a pointer is exchanged, so that a reader cannot delay the engine.
#pragma once
#include <memory>
#include <mutex>
#include <utility>

#include "server/monitor/live_state.h"

namespace hansa::server {

class LiveBoard {
 public:
  void set(LiveState state) {
    std::shared_ptr<const LiveState> next = std::make_shared<const LiveState>(std::move(state));
    const std::lock_guard lock(mutex_);
    latest_.swap(next);
  }
  // Null: nothing was set.
  [[nodiscard]] std::shared_ptr<const LiveState> latest() const {
    const std::lock_guard lock(mutex_);
    return latest_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const LiveState> latest_;
};

}  // namespace hansa::server
