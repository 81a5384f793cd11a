#include "client/process/data_retry.h"

#include <gtest/gtest.h>

namespace hansa::client {
namespace {

using std::chrono::seconds;

TEST(DataRetry, LooksAtLongerAndLongerPausesUntilTheDataCanBeUsed) {
  Instant now{std::chrono::hours(1)};
  DataRetry retry(DataRetry::Need::some, now);
  Duration waited{};
  for (int look = 0; look < 20; ++look) {
    const Instant before = now;
    while (!retry.take_due(now)) now += seconds(1);
    EXPECT_FALSE(retry.take_due(now)) << "twice";
    EXPECT_GE(now - before, std::min(waited, DataRetry::pause_max - seconds(1)));
    EXPECT_LE(now - before, DataRetry::pause_max + seconds(1));
    waited = now - before;
    retry.looked(false, now);
  }
  while (!retry.take_due(now)) now += seconds(1);
  retry.looked(true, now);
  EXPECT_FALSE(retry.take_due(now + std::chrono::hours(24)));
}

TEST(DataRetry, UsableDataIsNotLookedAtAgain) {
  DataRetry retry(DataRetry::Need::none, Instant{});
  EXPECT_FALSE(retry.take_due(Instant{std::chrono::hours(24)}));
}

}  // namespace
}  // namespace hansa::client
