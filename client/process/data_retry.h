// When data that cannot be used is looked at again: a file may be repaired or appear, and memory may be free again. The
// pause doubles. Pure: no clock. One thread.
#pragma once
#include <algorithm>
#include <chrono>

#include "common/time.h"

namespace hansa::client {

class DataRetry {
 public:
  static constexpr Duration pause_min = std::chrono::seconds(2);
  static constexpr Duration pause_max = std::chrono::minutes(5);

  enum class Need : std::uint8_t { none, some };
  DataRetry(Need need, Instant now) : next_(need == Need::none ? Instant::max() : now + pause_min) {}

  // True once when a look is due; looked() must follow.
  [[nodiscard]] bool take_due(Instant now) {
    if (now < next_) return false;
    next_ = Instant::max();
    return true;
  }
  void looked(bool usable, Instant now) {
    if (usable) return;
    pause_ = std::min(2 * pause_, pause_max);
    next_ = now + pause_;
  }

 private:
  Duration pause_ = pause_min;
  Instant next_;
};

}  // namespace hansa::client
