// When the next round may start: as soon as possible, after a time, at times of day, or when there is enough new data.
// No clock: the times are given.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/utc.h"
#include "server/schedule/cron_times.h"
#include "server/schedule/quiet_hours.h"

namespace hansa::server {

enum class Combine : std::uint8_t {
  all,  // a round starts when every condition holds
  any,  // when one of them holds
};

// [schedule]. Without a condition a round may start at any time outside the quiet hours.
struct ScheduleConfig {
  std::uint64_t every_s = 0;  // from the start of a round to that of the next; 0: no condition
  std::vector<CronTimes> at;
  std::uint64_t new_examples =
      0;  // in the federation, that no counted update was trained on; 0: no condition
  std::uint32_t clients_with_new = 0;  // clients that have new examples; 0: no condition
  Combine combine = Combine::all;
  std::vector<QuietHours> quiet;

  // Whether rounds ever wait for it.
  [[nodiscard]] bool is_set() const {
    return every_s > 0 || !at.empty() || new_examples > 0 || clients_with_new > 0 || !quiet.empty();
  }
};

struct ScheduleFacts {
  UtcSeconds now;
  UtcSeconds since;  // the aggregator's start, not after now
  // The start of the newest committed round, not after now; empty: there is none.
  std::optional<UtcSeconds> last_round = {};
  std::uint64_t new_examples = 0;
  std::uint32_t clients_with_new = 0;
};

struct ScheduleDecision {
  // Empty: a round may start. Otherwise what it waits for, as a part of a sentence: "for 500 new examples (120 now)".
  std::string waits;
  // When to ask again if nothing else changes; utc_never: only a change of the data helps.
  UtcSeconds ask_again = utc_never;
  [[nodiscard]] bool may_start() const { return waits.empty(); }
};

[[nodiscard]] ScheduleDecision decide(const ScheduleConfig& schedule, const ScheduleFacts& facts);

}  // namespace hansa::server
