#include "server/selection/drop_rate.h"

#include <gtest/gtest.h>

namespace hansa::server {
namespace {

TEST(DropRate, IsThePartWhoseUpdatesDidNotCome) {
  DropRate rate;
  EXPECT_EQ(rate.rate(), 0);
  EXPECT_EQ(rate.with_spares(10), 10U);
  rate.on_attempt(10, 8);
  EXPECT_DOUBLE_EQ(rate.rate(), 0.2);
  EXPECT_EQ(rate.with_spares(10), 13U) << "12.5";
  EXPECT_EQ(rate.with_spares(8), 10U) << "exactly";
  EXPECT_EQ(rate.with_spares(1), 2U);
  EXPECT_EQ(rate.with_spares(0), 0U);
}

TEST(DropRate, OlderRoundsCountLess) {
  DropRate rate;
  rate.on_attempt(10, 0);
  EXPECT_EQ(rate.rate(), 1);
  double last = 1;
  for (int round = 0; round < 30; ++round) {
    rate.on_attempt(10, 10);
    EXPECT_LT(rate.rate(), last);
    last = rate.rate();
  }
  EXPECT_EQ(rate.with_spares(10), 11U) << "a little is left";
  EXPECT_LT(last, 0.001);
}

TEST(DropRate, NeverMoreThanTwiceTheWantedNumber) {
  for (const std::uint32_t counted : {0U, 1U, 4U}) {
    DropRate rate;
    rate.on_attempt(10, counted);
    EXPECT_EQ(rate.with_spares(10), 20U) << counted;
  }
}

}  // namespace
}  // namespace hansa::server
