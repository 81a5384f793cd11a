// Times of day in the syntax of cron: "MINUTE HOUR DAY MONTH WEEKDAY", in the time zone of this machine (TZ).
//
// A field is *, or a list of numbers and ranges with an optional step: "0,30", "8-18", "*/15", "8-18/2". Months and days of
// the week may be the first three letters of their English names; Sunday is 0 and 7. If both DAY and WEEKDAY are
// restricted, either is enough, as in cron. "@hourly", "@daily", "@weekly" and "@monthly" stand for their usual times. A
// time that the change to daylight saving time skips comes as much later as the change is long; one that happens twice
// counts once.
//
// Debian has no C++ library for this.
#pragma once
#include <bitset>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/utc.h"

namespace hansa::server {

// A value. Thread-safe, unless another thread changes TZ.
class CronTimes {
 public:
  // Fails (usage), naming the field, or if there is no such day: "0 0 30 2 *".
  [[nodiscard]] static Result<CronTimes> parse(std::string_view text, const std::string& location);
  // The first time after `after`; utc_never after the year 9999.
  [[nodiscard]] UtcSeconds next(UtcSeconds after) const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  [[nodiscard]] bool has_day(int month, int day, int weekday) const;

  std::string text_;
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;  // 1 to 31
  std::bitset<13> months_;  // 1 to 12
  std::bitset<8> weekdays_;  // 0 to 6; 7 is copied to 0
  bool any_day_ = true;  // the field is *
  bool any_weekday_ = true;
};

}  // namespace hansa::server
