// Hours of the day in which no round starts: "22:00-06:00", in the time zone of this machine (TZ).
#pragma once
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/utc.h"

namespace hansa::server {

// A value. Thread-safe, unless another thread changes TZ.
class QuietHours {
 public:
  // Fails (usage) unless the text is HH:MM-HH:MM with two different times.
  [[nodiscard]] static Result<QuietHours> parse(std::string_view text, const std::string& location);
  // The end of the quiet hours that contain `now`; `now` if none do.
  [[nodiscard]] UtcSeconds end(UtcSeconds now) const;

 private:
  int begin_ = 0;  // minutes after midnight; included
  int end_ = 0;  // not included; at or below begin_: on the next day
};

}  // namespace hansa::server
