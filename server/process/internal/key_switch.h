// When the aggregator begins again with its next key (aggregator_key.h): between two rounds, and not later than ten minutes after it
// is due. Clients that are connected hear of the key first, also of one that holds at once: each of them sends something every few
// seconds. One thread.
#pragma once
#include "common/identifiers.h"
#include "common/time.h"
#include "common/utc.h"
#include "server/coordinator/progress.h"
#include "server/process/internal/aggregator_key.h"

namespace hansa::server::internal {

class KeySwitch {
 public:
  explicit KeySwitch(const AggregatorKey& key) : key_(key) {}

  // To be asked a few times a second.
  [[nodiscard]] bool is_time(Phase phase, RoundId committed, Instant now) {
    constexpr Duration wait_min = std::chrono::seconds(10), wait_max = std::chrono::minutes(10);
    if (!is_due_ && now >= next_look_) {
      next_look_ = now + std::chrono::seconds(1);
      is_due_ = key_.is_switch_due(utc_seconds_now());
      due_since_ = now;
    }
    if (!is_due_ || now - due_since_ < wait_min) {
      last_committed_ = committed;
      return false;
    }
    return phase == Phase::gathering || committed != last_committed_ || now - due_since_ >= wait_max;
  }

 private:
  const AggregatorKey& key_;
  Instant next_look_;
  bool is_due_ = false;
  RoundId last_committed_;  // when the wait began
  Instant due_since_;
};

}  // namespace hansa::server::internal
