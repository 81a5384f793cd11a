#include "server/schedule/cron_times.h"

#include <array>
#include <charconv>
#include <ctime>
#include <optional>
#include <span>
#include <vector>

#include "common/text.h"

namespace hansa::server {
namespace {

struct Field {
  std::string_view name;
  unsigned least, most;
  std::span<const std::string_view> names = {};  // of the values from `least` on
};

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<Field, 5> fields{{{"minute", 0, 59},
                                       {"hour", 0, 23},
                                       {"day", 1, 31},
                                       {"month", 1, 12, month_names},
                                       {"weekday", 0, 7, weekday_names}}};
constexpr int days_searched = 366 * 9;  // the longest time between two 29ths of February is eight years

std::string_view expanded(std::string_view text) {
  if (text == "@hourly") return "0 * * * *";
  if (text == "@daily") return "0 0 * * *";
  if (text == "@weekly") return "0 0 * * 0";
  if (text == "@monthly") return "0 0 1 * *";
  return text;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    if (end > at) out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::optional<unsigned> value_of(const Field& field, std::string_view text) {
  unsigned out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error == std::errc() && end == text.data() + text.size())
    return out >= field.least && out <= field.most ? std::optional(out) : std::nullopt;
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  for (std::size_t i = 0; i < field.names.size(); ++i)
    if (field.names[i] == lower) return field.least + static_cast<unsigned>(i);
  return std::nullopt;
}

// Sets the bits of one item of the list: "5", "1-5", "*/2", "1-9/3".
template <std::size_t bits>
bool add_item(const Field& field, std::string_view item, std::bitset<bits>& out) {
  unsigned first = field.least, last = field.most, step = 1;
  if (const std::size_t slash = item.find('/'); slash != std::string_view::npos) {
    const std::string_view text = item.substr(slash + 1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
    if (error != std::errc() || end != text.data() + text.size() || step == 0 || step > field.most)
      return false;
    item = item.substr(0, slash);
    if (item != "*" && item.find('-') == std::string_view::npos) return false;
  }
  if (item != "*") {
    const std::size_t dash = item.find('-');
    const auto from = value_of(field, item.substr(0, dash));
    const auto to = dash == std::string_view::npos ? from : value_of(field, item.substr(dash + 1));
    if (!from || !to || *from > *to) return false;
    first = *from;
    last = *to;
  }
  for (unsigned value = first; value <= last; value += step) out.set(value);
  return true;
}

template <std::size_t bits>
bool read_field(const Field& field, std::string_view text, std::bitset<bits>& out) {
  if (text.front() == ',' || text.back() == ',' || text.find(",,") != std::string_view::npos) return false;
  for (const std::string_view item : split(text, ","))
    if (!add_item(field, item, out)) return false;
  return true;
}

std::tm local(std::time_t time) {
  std::tm out{};
  ::localtime_r(&time, &out);
  return out;
}

}  // namespace

Result<CronTimes> CronTimes::parse(std::string_view text, const std::string& location) {
  const auto bad = [&](const std::string& what) {
    return fail(ErrorCode::usage, location, "is \"" + printable(text) + "\", " + what,
                "minute hour day month weekday, for example \"30 2 * * *\" for 02:30 every day");
  };
  const auto words = split(expanded(trimmed(text)), " \t");
  if (words.size() != fields.size())
    return bad("which has " + std::to_string(words.size()) + " fields where 5 are expected");
  CronTimes out;
  out.text_ = trimmed(text);
  out.any_day_ = words[2] == "*";
  out.any_weekday_ = words[4] == "*";
  const std::array<bool, 5> read{
      read_field(fields[0], words[0], out.minutes_), read_field(fields[1], words[1], out.hours_),
      read_field(fields[2], words[2], out.days_), read_field(fields[3], words[3], out.months_),
      read_field(fields[4], words[4], out.weekdays_)};
  for (std::size_t i = 0; i < read.size(); ++i)
    if (!read[i])
      return bad("whose " + std::string(fields[i].name) + " is not within " +
                 std::to_string(fields[i].least) + " to " + std::to_string(fields[i].most) +
                 ", or has no form that cron knows");
  if (out.weekdays_[7]) out.weekdays_.set(0);
  if (out.next(UtcSeconds{0}) == utc_never) return bad("a day that never comes");
  return out;
}

bool CronTimes::has_day(int month, int day, int weekday) const {
  if (!months_[static_cast<std::size_t>(month)]) return false;
  const bool day_fits = days_[static_cast<std::size_t>(day)];
  const bool weekday_fits = weekdays_[static_cast<std::size_t>(weekday)];
  if (any_day_ || any_weekday_) return day_fits && weekday_fits;
  return day_fits || weekday_fits;
}

UtcSeconds CronTimes::next(UtcSeconds after) const {
  constexpr std::uint64_t latest = 253'402'300'799;  // the end of the year 9999
  if (after.value >= latest) return utc_never;
  const auto begin = static_cast<std::time_t>(after.value);
  const std::tm first = local(begin);
  std::tm day = first;
  for (int searched = 0; searched < days_searched; ++searched) {
    if (has_day(day.tm_mon + 1, day.tm_mday, day.tm_wday)) {
      for (int hour = searched == 0 ? first.tm_hour : 0; hour < 24; ++hour) {
        if (!hours_[static_cast<std::size_t>(hour)]) continue;
        for (int minute = 0; minute < 60; ++minute) {
          if (!minutes_[static_cast<std::size_t>(minute)]) continue;
          std::tm at{};
          at.tm_year = day.tm_year;
          at.tm_mon = day.tm_mon;
          at.tm_mday = day.tm_mday;
          at.tm_hour = hour;
          at.tm_min = minute;
          at.tm_isdst = -1;
          if (const std::time_t time = std::mktime(&at); time > begin)
            return UtcSeconds{static_cast<std::uint64_t>(time)};
        }
      }
    }
    // At noon, so that no change of the time zone leads to another day.
    std::tm noon{};
    noon.tm_year = day.tm_year;
    noon.tm_mon = day.tm_mon;
    noon.tm_mday = day.tm_mday + 1;
    noon.tm_hour = 12;
    noon.tm_isdst = -1;
    day = local(std::mktime(&noon));
  }
  return utc_never;
}

}  // namespace hansa::server
