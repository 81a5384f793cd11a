#include "server/schedule/schedule.h"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>

namespace hansa::server {
namespace {

struct Condition {
  bool holds = false;
  std::string waits;
  UtcSeconds ask_again = utc_never;
};

// "2026-11-29 02:30:00", in local time.
std::string moment_text(UtcSeconds time) {
  const auto seconds = static_cast<std::time_t>(time.value);
  std::tm at{};
  ::localtime_r(&seconds, &at);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", at.tm_year + 1900, at.tm_mon + 1, at.tm_mday,
                     at.tm_hour, at.tm_min, at.tm_sec);
}

Condition until(UtcSeconds due, UtcSeconds now, std::string_view key) {
  if (due <= now) return {true, {}, utc_never};
  if (due == utc_never) return {false, fmt::format("for a time that never comes ({})", key), utc_never};
  return {false, fmt::format("until {} ({})", moment_text(due), key), due};
}

std::vector<Condition> conditions_of(const ScheduleConfig& schedule, const ScheduleFacts& facts) {
  std::vector<Condition> out;
  if (schedule.every_s > 0) {
    const UtcSeconds begin = facts.last_round.value_or(UtcSeconds{0});
    out.push_back(until(UtcSeconds{begin.value + schedule.every_s}, facts.now, "schedule.every_s"));
  }
  if (!schedule.at.empty()) {
    UtcSeconds due = utc_never;
    for (const CronTimes& times : schedule.at)
      due = std::min(due, times.next(facts.last_round.value_or(facts.since)));
    out.push_back(until(due, facts.now, "schedule.at"));
  }
  const auto amount = [&](std::uint64_t wanted, std::uint64_t present, std::string_view what) {
    if (wanted == 0) return;
    out.push_back({present >= wanted, fmt::format("for {} {} ({} now)", wanted, what, present), utc_never});
  };
  amount(schedule.new_examples, facts.new_examples, "new examples");
  amount(schedule.clients_with_new, facts.clients_with_new, "clients with new examples");
  return out;
}

ScheduleDecision combine(const ScheduleConfig& schedule, const std::vector<Condition>& conditions) {
  ScheduleDecision out;
  const bool any = schedule.combine == Combine::any;
  for (const Condition& condition : conditions) {
    if (condition.holds) {
      if (any) return {};
      continue;
    }
    if (!out.waits.empty()) out.waits += any ? ", or " : ", and ";
    out.waits += condition.waits;
    out.ask_again = std::min(out.ask_again, condition.ask_again);
  }
  return out;
}

}  // namespace

ScheduleDecision decide(const ScheduleConfig& schedule, const ScheduleFacts& facts) {
  ScheduleDecision out = combine(schedule, conditions_of(schedule, facts));
  if (!out.may_start()) return out;
  // Quiet hours may follow each other.
  UtcSeconds end = facts.now;
  for (std::size_t i = 0; i <= schedule.quiet.size(); ++i)
    for (const QuietHours& quiet : schedule.quiet) end = std::max(end, quiet.end(end));
  if (end > facts.now) return {fmt::format("until {} (schedule.quiet)", moment_text(end)), end};
  return {};
}

}  // namespace hansa::server
