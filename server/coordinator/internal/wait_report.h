// When the aggregator says again what it waits for: once when a wait has lasted a moment, and then at a growing interval,
// over all waits for the same thing. So a federation whose every round waits for new data does not log a line a round.
// Pure: no clock. One thread.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "common/time.h"

namespace hansa::server {

class WaitReport {
 public:
  static constexpr Duration grace = std::chrono::seconds(5);  // a shorter wait is not reported
  static constexpr Duration interval_min = std::chrono::minutes(1);
  static constexpr Duration interval_max = std::chrono::hours(1);

  // True: report now. topic: what is waited for, without numbers; waited: since the wait began.
  [[nodiscard]] bool take_due(std::string_view topic, Duration waited, Instant now) {
    if (waited < grace) return false;
    auto found = topics_.find(topic);
    if (found == topics_.end()) found = topics_.emplace(std::string(topic), Topic{}).first;
    Topic& last = found->second;
    if (now < last.next) return false;
    const bool was_calm = now >= last.next + last.interval;
    last.interval = was_calm ? interval_min : std::min<Duration>(2 * last.interval, interval_max);
    last.next = now + last.interval;
    return true;
  }

 private:
  struct Topic {
    Instant next{};
    Duration interval{};
  };
  std::map<std::string, Topic, std::less<>> topics_;
};

}  // namespace hansa::server
