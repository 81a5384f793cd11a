#include "server/methods/rate_schedule.h"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

namespace hansa::server {
namespace {

double at(const RateSchedule& schedule, std::uint32_t round) {
  return rate_fraction(schedule, RoundId(round));
}

TEST(RateSchedule, ConstantIsTheFullRateAfterAWarmUpThatGrowsLinearly) {
  for (const std::uint32_t round : {1U, 2U, 1'000'000U}) EXPECT_EQ(at({}, round), 1);
  const RateSchedule warm{.warm_up = 4};
  for (std::uint32_t round = 1; round <= 4; ++round) EXPECT_DOUBLE_EQ(at(warm, round), round / 5.0);
  EXPECT_EQ(at(warm, 5), 1);
}

TEST(RateSchedule, StepFallsEachNthRound) {
  const RateSchedule step{.name = "step", .warm_up = 2, .every = 3, .factor = 0.5};
  const double expected[] = {1.0 / 3, 2.0 / 3, 1, 1, 1, 0.5, 0.5, 0.5, 0.25};
  for (std::uint32_t round = 1; round <= 9; ++round) EXPECT_DOUBLE_EQ(at(step, round), expected[round - 1]);
}

TEST(RateSchedule, CosineEndsAtItsLowestInTheLastRoundAndStaysThere) {
  const RateSchedule cosine{.name = "cosine", .lowest = 0.1, .rounds = 11};
  EXPECT_DOUBLE_EQ(at(cosine, 1), 1);
  EXPECT_DOUBLE_EQ(at(cosine, 6), 0.55);
  EXPECT_DOUBLE_EQ(at(cosine, 3), 0.1 + 0.9 * (1 + std::cos(0.2 * std::numbers::pi)) / 2);
  EXPECT_DOUBLE_EQ(at(cosine, 11), 0.1);
  EXPECT_DOUBLE_EQ(at(cosine, 500), 0.1);
  EXPECT_DOUBLE_EQ(at({.name = "cosine", .rounds = 1}, 1), 1) << "a single round";
}

TEST(RateSchedule, InverseSquareRootCountsFromTheEndOfTheWarmUp) {
  const RateSchedule schedule{.name = "inverse_sqrt", .warm_up = 3};
  EXPECT_DOUBLE_EQ(at(schedule, 4), 1);
  EXPECT_DOUBLE_EQ(at(schedule, 12), 1 / 3.0);
}

TEST(RateSchedule, EveryRateIsAboveZeroAndAtMostTheFullOne) {
  for (const std::string_view name : rate_schedule_names)
    for (const std::uint32_t warm_up : {0U, 3U})
      for (std::uint32_t round = 1; round <= 3'000; ++round) {
        const double fraction = at(
            {.name = std::string(name), .warm_up = warm_up, .every = 1, .factor = 0.01, .rounds = 50}, round);
        ASSERT_GT(fraction, 0) << name << " " << round;
        ASSERT_LE(fraction, 1) << name << " " << round;
      }
}

}  // namespace
}  // namespace hansa::server
