// When a client that cannot connect looks for the reason.
#include "client/process/outage_watch.h"

#include <gtest/gtest.h>

namespace hansa::client {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr Instant start{seconds(1000)};

TEST(Outage, IsLookedAtAfterAMinute) {
  OutageWatch watch(start);
  EXPECT_FALSE(watch.take_due(start + seconds(59)));
  EXPECT_TRUE(watch.take_due(start + seconds(60)));
  EXPECT_FALSE(watch.take_due(start + seconds(61)));
}

TEST(Outage, IsLookedAtEverMoreSeldom) {
  OutageWatch watch(start);
  int looks = 0;
  for (Instant now = start; now < start + hours(24); now += seconds(1)) looks += watch.take_due(now) ? 1 : 0;
  EXPECT_GE(looks, 5);
  EXPECT_LE(looks, 8);
}

TEST(Outage, EndsWithAConnection) {
  OutageWatch watch(start);
  watch.connected();
  EXPECT_FALSE(watch.take_due(start + hours(10)));
  watch.lost(start + hours(10));
  watch.lost(start + hours(10) + seconds(30));  // a failed attempt begins no new outage
  EXPECT_TRUE(watch.take_due(start + hours(10) + seconds(60)));
}

}  // namespace
}  // namespace hansa::client
