// When a client that cannot connect looks for the reason: after a minute, then ever more seldom. Pure: no clock.
#pragma once
#include <algorithm>

#include "common/time.h"

namespace hansa::client {

class OutageWatch {
 public:
  static constexpr Duration first_pause = std::chrono::seconds(60);
  static constexpr Duration pause_max = std::chrono::hours(6);

  explicit OutageWatch(Instant now) { lost(now); }

  void connected() {
    is_out_ = false;
    pause_ = first_pause;
  }
  // No connection, or not any more. Repeated calls during an outage change nothing.
  void lost(Instant now) {
    if (is_out_) return;
    is_out_ = true;
    next_ = now + pause_;
  }
  // True when a look is due.
  [[nodiscard]] bool take_due(Instant now) {
    if (!is_out_ || now < next_) return false;
    pause_ = std::min(pause_ * 8, pause_max);
    next_ = now + pause_;
    return true;
  }

 private:
  bool is_out_ = false;
  Duration pause_ = first_pause;
  Instant next_;
};

}  // namespace hansa::client
