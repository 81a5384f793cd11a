#include "server/schedule/quiet_hours.h"

#include <ctime>
#include <optional>

#include "common/text.h"

namespace hansa::server {
namespace {

constexpr int minutes_of_day = 24 * 60;

std::optional<int> minutes_of(std::string_view text) {
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4))
    return std::nullopt;
  const int hours = (text[0] - '0') * 10 + (text[1] - '0'), minutes = (text[3] - '0') * 10 + (text[4] - '0');
  if (hours > 24 || minutes > 59 || hours * 60 + minutes > minutes_of_day) return std::nullopt;
  return hours * 60 + minutes;
}

}  // namespace

Result<QuietHours> QuietHours::parse(std::string_view text, const std::string& location) {
  const std::string_view range = trimmed(text);
  const std::size_t dash = range.find('-');
  if (dash != std::string_view::npos) {
    const auto begin = minutes_of(trimmed(range.substr(0, dash)));
    const auto end = minutes_of(trimmed(range.substr(dash + 1)));
    if (begin && end && *begin != minutes_of_day && *begin != *end % minutes_of_day) {
      QuietHours out;
      out.begin_ = *begin;
      out.end_ = *end;
      return out;
    }
  }
  return fail(ErrorCode::usage, location, "is \"" + printable(text) + "\", which is not a part of the day",
              "for example \"22:00-06:00\"");
}

UtcSeconds QuietHours::end(UtcSeconds now) const {
  const auto time = static_cast<std::time_t>(now.value);
  std::tm at{};
  ::localtime_r(&time, &at);
  const int minute = at.tm_hour * 60 + at.tm_min;
  const bool overnight = end_ <= begin_;
  const bool is_quiet = overnight ? minute >= begin_ || minute < end_ : minute >= begin_ && minute < end_;
  if (!is_quiet) return now;
  if (overnight && minute >= begin_) ++at.tm_mday;
  at.tm_hour = end_ / 60;
  at.tm_min = end_ % 60;
  at.tm_sec = 0;
  at.tm_isdst = -1;
  const std::time_t end = std::mktime(&at);
  return end > time ? UtcSeconds{static_cast<std::uint64_t>(end)} : now;
}

}  // namespace hansa::server
