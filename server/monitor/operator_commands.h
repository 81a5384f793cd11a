// What an operator asks of the aggregator, from an HTTP request to the engine's thread.
//
// Thread-safe. Asking twice is the same as asking once.
#pragma once
#include <atomic>

namespace hansa::server {

class OperatorCommands {
 public:
  struct Asked {
    bool stop_after_round = false;
  };

  // The aggregator ends when the current round is committed or abandoned; at once while none is running. The run can be
  // continued.
  void stop_after_round() { stop_after_round_.store(true, std::memory_order_relaxed); }
  // What was asked since the last call. Called on the engine's thread.
  [[nodiscard]] Asked take() { return {stop_after_round_.exchange(false, std::memory_order_relaxed)}; }

 private:
  std::atomic<bool> stop_after_round_ = false;
};

}  // namespace hansa::server
