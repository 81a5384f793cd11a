// When rounds start: cron times, quiet hours, conditions on new data, and their combinations.
#include "server/schedule/schedule.h"

#include <cstdlib>
#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hansa::server {
namespace {

using ::testing::HasSubstr;

// Central European time, without the data base of time zones: the clocks change on 29 March and 25 October 2026.
struct Schedules : ::testing::Test {
  Schedules() {
    if (const char* zone = std::getenv("TZ")) zone_ = zone;
    ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    ::tzset();
  }
  ~Schedules() override {
    if (zone_) ::setenv("TZ", zone_->c_str(), 1);
    else ::unsetenv("TZ");
    ::tzset();
  }
  static UtcSeconds local(const char* text) {
    std::tm at{};
    EXPECT_NE(::strptime(text, "%Y-%m-%d %H:%M", &at), nullptr) << text;
    at.tm_isdst = -1;
    return {static_cast<std::uint64_t>(std::mktime(&at))};
  }
  static std::string text(UtcSeconds time) {
    const auto seconds = static_cast<std::time_t>(time.value);
    std::tm at{};
    ::localtime_r(&seconds, &at);
    char out[32] = {};
    std::strftime(out, sizeof out, "%Y-%m-%d %H:%M", &at);
    return out;
  }
  static CronTimes cron(const char* text) { return CronTimes::parse(text, "schedule.at").value(); }
  static std::string next(const char* times, const char* after) {
    return text(cron(times).next(local(after)));
  }

  std::optional<std::string> zone_;
};

struct CronSchedules : Schedules {};

TEST_F(CronSchedules, TheNextTimeIsAfterTheGivenOne) {
  EXPECT_EQ(next("30 2 * * *", "2026-11-29 02:29"), "2026-11-29 02:30");
  EXPECT_EQ(next("30 2 * * *", "2026-11-29 02:30"), "2026-11-30 02:30");
  EXPECT_EQ(next("*/15 * * * *", "2026-11-29 23:50"), "2026-11-30 00:00");
  EXPECT_EQ(next("0 8-18/2 * * mon-fri", "2026-11-27 18:00"), "2026-11-30 08:00");  // a Friday
  EXPECT_EQ(next("0,30 12 1 jan,jul *", "2026-11-29 00:00"), "2027-01-01 12:00");
  EXPECT_EQ(next("0 0 * * 7", "2026-11-27 10:00"), "2026-11-29 00:00");
  EXPECT_EQ(next("0 0 29 2 *", "2026-11-29 00:00"), "2028-02-29 00:00");
  EXPECT_EQ(next("@monthly", "2026-12-31 23:59"), "2027-01-01 00:00");
}

TEST_F(CronSchedules, ADayOfTheMonthOrOfTheWeekIsEnoughIfBothAreGiven) {
  EXPECT_EQ(next("0 0 13 * fri", "2026-11-27 10:00"), "2026-12-04 00:00");
  EXPECT_EQ(next("0 0 13 * fri", "2026-12-12 10:00"), "2026-12-13 00:00");
}

TEST_F(CronSchedules, TimesAroundTheChangesOfTheClockComeOnceAndInOrder) {
  EXPECT_EQ(next("30 2 * * *", "2026-03-28 12:00"), "2026-03-29 03:30");  // there is no 02:30
  EXPECT_EQ(next("30 2 * * *", "2026-03-29 12:00"), "2026-03-30 02:30");
  const CronTimes half_past_two = cron("30 2 * * *");
  const UtcSeconds first = half_past_two.next(local("2026-10-24 12:00"));
  EXPECT_EQ(text(first), "2026-10-25 02:30");
  EXPECT_EQ(text(half_past_two.next(first)), "2026-10-26 02:30");
  const CronTimes often = cron("*/20 * * * *");
  UtcSeconds at = local("2026-10-24 22:00");
  for (int i = 0; i < 60; ++i) {
    const UtcSeconds later = often.next(at);
    ASSERT_GT(later, at);
    ASSERT_LE(later.value - at.value, 3'600U + 1'200U);
    at = later;
  }
}

TEST_F(CronSchedules, WhatIsNoTimeIsRefusedWithItsField) {
  const auto error = [](const char* text) {
    const auto parsed = CronTimes::parse(text, "federation.toml:7: schedule.at");
    EXPECT_FALSE(parsed) << text;
    return parsed ? std::string() : parsed.error().text();
  };
  EXPECT_THAT(error("30 2 * *"), HasSubstr("has 4 fields where 5 are expected"));
  EXPECT_THAT(error(""), HasSubstr("has 0 fields"));
  EXPECT_THAT(error("60 2 * * *"), HasSubstr("whose minute is not within 0 to 59"));
  EXPECT_THAT(error("0 24 * * *"), HasSubstr("hour"));
  EXPECT_THAT(error("0 0 0 * *"), HasSubstr("day"));
  EXPECT_THAT(error("0 0 * foo *"), HasSubstr("month"));
  EXPECT_THAT(error("0 0 * * 8"), HasSubstr("weekday"));
  EXPECT_THAT(error("0 0 30 2 *"), HasSubstr("never comes"));
  for (const char* bad : {"5-1 * * * *", "*/0 * * * *", "1/2 * * * *", ", * * * *", "1,,2 * * * *",
                          "-1 * * * *", "1- * * * *", "*/99 * * * *", "0x1 * * * *", "99999999999 * * * *"})
    EXPECT_THAT(error(bad), HasSubstr("minute")) << bad;
}

struct QuietSchedules : Schedules {
  static std::string end(const char* quiet, const char* now) {
    return text(QuietHours::parse(quiet, "schedule.quiet").value().end(local(now)));
  }
};

TEST_F(QuietSchedules, TheirEndIsTheNextOne) {
  EXPECT_EQ(end("22:00-06:00", "2026-11-29 21:59"), "2026-11-29 21:59");
  EXPECT_EQ(end("22:00-06:00", "2026-11-29 22:00"), "2026-11-30 06:00");
  EXPECT_EQ(end("22:00-06:00", "2026-11-30 05:59"), "2026-11-30 06:00");
  EXPECT_EQ(end("22:00-06:00", "2026-11-30 06:00"), "2026-11-30 06:00");
  EXPECT_EQ(end("08:00-17:30", "2026-11-30 12:00"), "2026-11-30 17:30");
  EXPECT_EQ(end("18:00-24:00", "2026-11-30 20:00"), "2026-12-01 00:00");
  EXPECT_EQ(end("22:00-06:00", "2026-03-28 23:00"), "2026-03-29 06:00");
}

TEST_F(QuietSchedules, WhatIsNoPartOfTheDayIsRefused) {
  for (const char* bad : {"", "22-6", "22:00", "22:00-22:00", "24:00-06:00", "00:00-24:00", "25:00-26:00",
                          "22:60-06:00", "2:00-06:00", "aa:bb-cc:dd"})
    EXPECT_FALSE(QuietHours::parse(bad, "schedule.quiet")) << bad;
}

struct RoundSchedules : Schedules {
  ScheduleConfig schedule;
  ScheduleFacts facts{.now = local("2026-11-29 12:00"), .since = local("2026-11-29 08:00")};
};

TEST_F(RoundSchedules, WithoutAConditionARoundMayStartAtOnce) {
  EXPECT_TRUE(decide(schedule, facts).may_start());
}

TEST_F(RoundSchedules, ARoundStartsEveryT) {
  schedule.every_s = 3'600;
  EXPECT_TRUE(decide(schedule, facts).may_start());
  facts.last_round = local("2026-11-29 11:30");
  const auto decision = decide(schedule, facts);
  EXPECT_EQ(decision.waits, "until 2026-11-29 12:30:00 (schedule.every_s)");
  EXPECT_EQ(text(decision.ask_again), "2026-11-29 12:30");
  facts.now = decision.ask_again;
  EXPECT_TRUE(decide(schedule, facts).may_start());
}

TEST_F(RoundSchedules, ARoundStartsAtEachOfTheTimesOnce) {
  schedule.at = {cron("0 2 * * *"), cron("0 14 * * *")};
  EXPECT_EQ(text(decide(schedule, facts).ask_again), "2026-11-29 14:00");
  facts.now = local("2026-11-29 14:00");
  EXPECT_TRUE(decide(schedule, facts).may_start());
  facts.last_round = facts.now;
  EXPECT_EQ(text(decide(schedule, facts).ask_again), "2026-11-30 02:00");
  // A time that was missed while the aggregator was off, or a round took too long, counts once.
  facts.now = local("2026-12-03 01:00");
  EXPECT_TRUE(decide(schedule, facts).may_start());
}

TEST_F(RoundSchedules, NewDataIsWaitedForWithoutAClock) {
  schedule.new_examples = 500;
  schedule.clients_with_new = 2;
  facts.new_examples = 120;
  facts.clients_with_new = 1;
  const auto decision = decide(schedule, facts);
  EXPECT_EQ(decision.waits, "for 500 new examples (120 now), and for 2 clients with new examples (1 now)");
  EXPECT_EQ(decision.ask_again, utc_never);
  facts.new_examples = 500;
  EXPECT_EQ(decide(schedule, facts).waits, "for 2 clients with new examples (1 now)");
  facts.clients_with_new = 2;
  EXPECT_TRUE(decide(schedule, facts).may_start());
}

TEST_F(RoundSchedules, AnyOfTheConditionsIsEnoughIfTheFileSaysSo) {
  schedule.every_s = 86'400;
  schedule.new_examples = 500;
  facts.last_round = facts.now;
  facts.new_examples = 500;
  EXPECT_FALSE(decide(schedule, facts).may_start());
  schedule.combine = Combine::any;
  EXPECT_TRUE(decide(schedule, facts).may_start());
  facts.new_examples = 499;
  const auto decision = decide(schedule, facts);
  EXPECT_THAT(decision.waits, HasSubstr(", or for 500 new examples (499 now)"));
  EXPECT_EQ(text(decision.ask_again), "2026-11-30 12:00");
}

TEST_F(RoundSchedules, NoRoundStartsInQuietHoursWhateverElseHolds) {
  schedule.quiet = {QuietHours::parse("11:00-13:00", "").value(),
                    QuietHours::parse("13:00-15:30", "").value()};
  schedule.combine = Combine::any;
  const auto decision = decide(schedule, facts);
  EXPECT_EQ(decision.waits, "until 2026-11-29 15:30:00 (schedule.quiet)");
  EXPECT_EQ(text(decision.ask_again), "2026-11-29 15:30");
  facts.now = decision.ask_again;
  EXPECT_TRUE(decide(schedule, facts).may_start());
}

}  // namespace
}  // namespace hansa::server
