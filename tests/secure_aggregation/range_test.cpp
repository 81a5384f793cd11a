// The grid of a round, and the clip that is chosen from the octaves of the round before.
#include "protocols/secure_aggregation/range.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "common/random.h"
#include "protocols/secure_aggregation/packing.h"
#include "tests/secure_aggregation/cohort.h"

namespace hansa::secure_aggregation {
namespace {

TEST(Clip, FollowsTheValues) {
  RangeHistogram ranges{};
  const auto of_deviation = [&](double deviation) {
    ranges = {};
    Random random(1);
    for (int i = 0; i < 100'000; ++i) {
      const double value = std::fabs(random.normal()) * deviation;
      const int bin =
          std::clamp(std::ilogb(value) - range_exponent_min + 1, 0, static_cast<int>(range_bins) - 1);
      ++ranges[static_cast<std::size_t>(bin)];
    }
    return choose_clip(ranges, 10, 255);
  };
  for (const double deviation : {1e-4, 0.01, 1.0, 30.0}) {
    EXPECT_GT(of_deviation(deviation), 2.5 * deviation);
    EXPECT_LT(of_deviation(deviation), 8 * deviation);
  }
  EXPECT_GT(choose_clip(ranges, 10, 65'535), choose_clip(ranges, 10, 15))
      << "more levels allow a wider range";
  ranges = {};
  ranges[0] = 10;
  EXPECT_GT(choose_clip(ranges, 10, 255), 0) << "all zero";
}

TEST(Grid, FillsItsRingAndHasAtLeastTwoThirdsOfTheRequestedLevels) {
  for (std::uint32_t clients = clients_min; clients <= clients_max; ++clients)
    for (unsigned bits = 2; bits <= 24; ++bits) {
      const Grid grid = choose_grid(clients, bits);
      const std::uint32_t wanted = (1U << bits) - 1;
      ASSERT_LE(grid.ring_bits, std::min(ring_bits(clients, wanted), 32U));
      ASSERT_LT(std::uint64_t{clients} * grid.levels, std::uint64_t{1} << grid.ring_bits);
      ASSERT_TRUE(grid.levels == levels_max ||
                  std::uint64_t{clients} * (grid.levels + 1) >= std::uint64_t{1} << grid.ring_bits)
          << "the ring is not filled";
      if (ring_bits(clients, wanted) <= 32) {
        ASSERT_GE(3 * std::uint64_t{grid.levels}, 2 * std::uint64_t{wanted});
      }
    }
  EXPECT_EQ(choose_grid(50, 3).levels, 5U);
  EXPECT_EQ(choose_grid(50, 3).ring_bits, 8U);
  EXPECT_EQ(choose_grid(10, 3).levels, 6U);
  EXPECT_EQ(choose_grid(10, 3).ring_bits, 6U);
  EXPECT_EQ(choose_grid(10, 2).levels, 3U);
}

TEST(Clip, TheFirstOneFitsTheRing) {
  for (const std::uint32_t clients : {3U, 10U, 256U, 1'000U}) {
    const Quantisation q = first_quantisation(clients, 7);
    EXPECT_LE(q.ring_bits, 32U);
    EXPECT_GE(q.levels, (1U << 17) - 1);
    SumSetup setup = testing::small_setup(clients);
    setup.quantisation = q;
    EXPECT_TRUE(check(setup));
  }
}

}  // namespace
}  // namespace hansa::secure_aggregation
