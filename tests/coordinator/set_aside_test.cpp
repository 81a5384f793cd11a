// Clients that are set aside, and the arithmetic of the quorum: pure.
#include "server/selection/set_aside.h"

#include <gtest/gtest.h>

#include "server/coordinator/internal/wait_report.h"
#include "server/selection/quorum.h"

namespace hansa::server {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr Instant start = Instant(hours(1));
constexpr Duration none = Duration::zero();

TEST(SetAside, ThePauseDoublesUpToItsMaximumAndACountedUpdateForgetsIt) {
  SetAside aside;
  Instant now = start;
  Duration expected = seconds(2);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(aside.on_failed("a", "memory", none, now), expected);
    ASSERT_NE(aside.find("a", now + expected - Duration(1)), nullptr);
    EXPECT_EQ(aside.find("a", now + expected - Duration(1))->reason, "memory");
    EXPECT_EQ(aside.next_return(now), now + expected);
    now += expected;
    EXPECT_EQ(aside.find("a", now), nullptr) << "it is asked again";
    expected = std::min<Duration>(2 * expected, hours(1));
  }
  EXPECT_TRUE(aside.on_counted("a", 0, now)) << "it had failed";
  EXPECT_FALSE(aside.on_counted("a", 0, now));
  EXPECT_EQ(aside.on_failed("a", "memory", none, now), seconds(2));
}

TEST(SetAside, ThePauseIsAtLeastAsLongAsTheAttemptThatFailed) {
  SetAside aside;
  EXPECT_EQ(aside.on_failed("a", "diverged", seconds(600), start), seconds(600));
  EXPECT_EQ(aside.on_failed("a", "diverged", seconds(600), start), seconds(1'200));
  EXPECT_EQ(aside.on_failed("a", "diverged", hours(3), start), hours(3));
}

TEST(SetAside, AChangedReportOrANewProcessEndsThePauseAtOnceAFewTimes) {
  SetAside aside;
  Instant now = start;
  for (int i = 0; i < 3; ++i) {
    aside.on_failed("a", "a column is missing", none, now);
    EXPECT_TRUE(i == 1 ? aside.on_restarted("a", now) : aside.on_report("a", 0, now));
    EXPECT_EQ(aside.find("a", now), nullptr);
    EXPECT_FALSE(aside.on_report("a", 0, now)) << "it is not set aside";
  }
  aside.on_failed("a", "a column is missing", none, now);
  EXPECT_FALSE(aside.on_report("a", 0, now)) << "otherwise it could decline in a loop";
  EXPECT_NE(aside.find("a", now), nullptr);
  now += seconds(15);
  aside.on_failed("a", "a column is missing", none, now);
  now += seconds(1);
  EXPECT_FALSE(aside.on_restarted("a", now));
  now += seconds(60);
  aside.on_failed("a", "a column is missing", none, now);
  EXPECT_TRUE(aside.on_restarted("a", now));
  EXPECT_FALSE(aside.on_restarted("unknown", now));
}

TEST(SetAside, AClientWithoutNewDataWaitsForItsReport) {
  SetAside aside;
  aside.on_nothing_new("a", 0, start);
  ASSERT_NE(aside.find("a", start + hours(1'000)), nullptr) << "no pause ends it";
  EXPECT_EQ(aside.find("a", start)->why, SetAside::Why::no_new_data);
  EXPECT_EQ(aside.next_return(start), Instant::max());
  EXPECT_FALSE(aside.on_report("a", 0, start)) << "old examples only";
  EXPECT_TRUE(aside.on_report("a", 5, start));
  EXPECT_EQ(aside.find("a", start), nullptr);
}

TEST(SetAside, ACountedUpdateUsesTheNewDataUpAndItsReportsAreNotLimited) {
  SetAside aside;
  Instant now = start;
  aside.on_nothing_new("a", 0, now);
  for (int round = 0; round < 100; ++round) {
    ASSERT_TRUE(aside.on_report("a", 5, now)) << round;
    ASSERT_EQ(aside.find("a", now), nullptr);
    EXPECT_FALSE(aside.on_counted("a", 5, now)) << "it never failed";
    ASSERT_NE(aside.find("a", now), nullptr) << "before the next report";
    EXPECT_FALSE(aside.on_report("a", 0, now));
    ASSERT_NE(aside.find("a", now + hours(1)), nullptr);
  }
  // A report that is the same as before is not sent: after a pause the client is asked all the same.
  aside.on_counted("a", 5, now);
  EXPECT_EQ(aside.find("a", now + seconds(2)), nullptr);
}

TEST(SetAside, AReportOfNewDataThatComesTooOftenEndsAPauseLater) {
  SetAside aside;
  for (int i = 0; i < 3; ++i) {
    aside.on_nothing_new("a", 0, start);
    EXPECT_TRUE(aside.on_report("a", 5, start));
  }
  aside.on_nothing_new("a", 0, start);
  EXPECT_FALSE(aside.on_report("a", 5, start)) << "it declines with new data";
  EXPECT_NE(aside.find("a", start), nullptr);
  EXPECT_EQ(aside.find("a", start + seconds(2)), nullptr);
}

TEST(SetAside, ARemovedClientIsForgotten) {
  SetAside aside;
  aside.on_failed("a", "memory", none, start);
  aside.forget("a");
  EXPECT_EQ(aside.find("a", start), nullptr);
}

// The table of docs/configuration.md.
TEST(Quorum, IsRoundedToTheNearestNumberOfClients) {
  const std::uint32_t of_default[] = {1, 2, 2, 3, 4, 5, 6, 6, 7, 8};  // cohorts of 1 to 10
  for (std::uint32_t cohort = 1; cohort <= 10; ++cohort)
    EXPECT_EQ(quorum_of(0.8, cohort), of_default[cohort - 1]) << cohort;
  EXPECT_EQ(quorum_of(0.5, 3), 2U) << "halves up";
  EXPECT_EQ(quorum_of(0.7, 5), 4U) << "0.7 * 5 is 3.5";
  EXPECT_EQ(quorum_of(0.01, 10), 1U);
  for (const std::uint32_t cohort : {1U, 2U, 3U, 100'000U}) EXPECT_EQ(quorum_of(1, cohort), cohort);
}

TEST(WaitReport, ComesOnceAndThenAtAGrowingInterval) {
  WaitReport report;
  std::vector<std::int64_t> at;
  for (int s = 0; s < 4 * 3'600; ++s)
    if (report.take_due("clients", seconds(s), start + seconds(s))) at.push_back(s);
  EXPECT_EQ(at, (std::vector<std::int64_t>{5, 65, 185, 425, 905, 1'865, 3'785, 7'385, 10'985}));
  EXPECT_TRUE(report.take_due("new data", seconds(10), start + hours(4))) << "something else";
  EXPECT_TRUE(report.take_due("clients", seconds(10), start + hours(24)));
  EXPECT_TRUE(report.take_due("clients", seconds(70), start + hours(24) + seconds(60)))
      << "from the start again";
}

TEST(WaitReport, ShortWaitsInEachRoundAreNotALineARound) {
  WaitReport report;
  int lines = 0;
  for (int round = 0; round < 1'000; ++round)
    for (int waited = 0; waited < 30; ++waited)
      lines += report.take_due("new data", seconds(waited), start + seconds(40 * round + waited)) ? 1 : 0;
  EXPECT_LT(lines, 20);
}

}  // namespace
}  // namespace hansa::server
