// Statistics in secure sums, such as the variances of normalisation layers: fine whatever the grid of the parameters, and
// whatever the scale.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "common/random.h"
#include "protocols/secure_aggregation/quantise.h"
#include "protocols/secure_aggregation/range.h"
#include "tests/secure_aggregation/cohort.h"

namespace hansa::secure_aggregation {
namespace {

constexpr auto statistics = SegmentKind::statistics;
constexpr auto parameters = SegmentKind::parameters;

SumSetup setup_of(std::uint32_t clients, unsigned value_bits, std::vector<Segment> segments) {
  SumSetup setup = testing::small_setup(clients);
  setup.segments = std::move(segments);
  const Grid grid = choose_grid(clients, value_bits);
  setup.quantisation = {grid.levels, grid.ring_bits, 8, 100};
  setup.metrics = {"loss"};
  return setup;
}

Secret32 seed_of(std::uint32_t client) {
  Secret32 out;
  out.bytes()[0] = static_cast<std::uint8_t>(client);
  out.bytes()[1] = static_cast<std::uint8_t>(client >> 8);
  return out;
}

std::vector<std::uint32_t> sum_of(const SumSetup& setup, const std::vector<std::vector<float>>& updates,
                                  std::uint64_t weight = 100) {
  std::vector<std::uint32_t> sum(vector_elements(setup)), numbers(sum.size());
  for (std::uint32_t client = 0; client < updates.size(); ++client) {
    EXPECT_TRUE(quantise(updates[client], weight, {}, setup, seed_of(client), numbers));
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += numbers[i];
  }
  return sum;
}

// Three segments, of which the middle one is of statistics, on the coarsest grid that is in use.
TEST(SumStatistics, HaveNineDigitsWhereParametersHaveOne) {
  for (const std::uint32_t clients : {3U, 10U, 300U})
    for (const unsigned bits : {2U, 3U, 8U, 18U}) {
      SumSetup setup = setup_of(clients, bits, {{40, 1}, {30, 1, statistics}, {20, 1}});
      setup.quantisation.rotated = true;
      Random random(clients + bits);
      std::vector<std::vector<float>> updates(clients, std::vector<float>(90));
      std::vector<double> expected(90);
      for (auto& update : updates)
        for (std::size_t i = 0; i < update.size(); ++i) {
          update[i] = static_cast<float>(random.normal());
          expected[i] += static_cast<double>(update[i]) / clients;
        }
      std::vector<float> mean(90);
      const auto totals = dequantise(sum_of(setup, updates), clients, setup, mean);
      ASSERT_TRUE(totals) << totals.error().text();
      for (std::size_t i = 40; i < 70; ++i) ASSERT_NEAR(mean[i], expected[i], 2e-7) << i;
      for (const auto& [first, last] : {std::pair{0, 40}, std::pair{70, 90}})
        for (int i = first; i < last; ++i)
          ASSERT_NEAR(mean[static_cast<std::size_t>(i)], expected[static_cast<std::size_t>(i)],
                      40.0 / ((1 << bits) - 1) / std::sqrt(clients))
              << i;
    }
}

// As a variance of 1 that becomes 1e-8 in rounds, and as a running mean. The scale cannot follow as fast as the
// values shrink.
TEST(SumStatistics, AreRightWhenTheScaleIsAMillionTimesTooLarge) {
  constexpr std::uint32_t clients = 4;
  const SumSetup setup = setup_of(clients, 3, {{100, 1e-3}, {2, 0.02, statistics}});
  std::vector<std::vector<float>> updates(clients, std::vector<float>(102));
  for (auto& update : updates) update[100] = 1.25e-8F, update[101] = -2e-8F;
  std::vector<float> mean(102);
  const auto totals = dequantise(sum_of(setup, updates), clients, setup, mean);
  ASSERT_TRUE(totals) << totals.error().text();
  EXPECT_NEAR(mean[100], 1.25e-8, 1e-11);
  EXPECT_NEAR(mean[101], -2e-8, 1e-11);
  EXPECT_NEAR(totals->scales[1], 0.02 / 16, 1e-6) << "it changes by four octaves a round";
}

// Case of a normalisation layer whose inputs are in small units, over rounds, with the coarse grid that rounds after the
// first one have.
TEST(SumStatistics, AShrinkingVarianceArrivesAndIsNeverNegative) {
  constexpr std::uint32_t clients = 4;
  std::vector<Segment> segments{{1'000, 1}, {1, 1, statistics}};
  double variance = 1, clip = first_clip;
  for (int round = 1; round <= 20; ++round) {
    SumSetup setup = setup_of(clients, 3, segments);
    setup.quantisation.clip = clip;
    Random random(static_cast<std::uint64_t>(round));
    std::vector<std::vector<float>> updates(clients, std::vector<float>(1'001));
    for (auto& update : updates) {
      for (float& value : update) value = static_cast<float>(random.normal() * 0.01);
      // Forty batches with a momentum of 0.1, on data whose variance is 1.25e-8.
      const double kept = std::pow(0.9, 40);
      update.back() = static_cast<float>(kept * variance + (1 - kept) * 1.25e-8 - variance);
    }
    std::vector<float> mean(1'001);
    const auto totals = dequantise(sum_of(setup, updates), clients, setup, mean);
    ASSERT_TRUE(totals) << totals.error().text();
    variance += mean.back();
    ASSERT_GT(variance, 0) << round;
    const NextRange next = choose_range(*totals, clients, setup.quantisation.levels, setup);
    clip = next.clip;
    for (std::size_t s = 0; s < segments.size(); ++s) segments[s].scale = next.scales[s];
  }
  EXPECT_NEAR(variance, 1.25e-8, 1e-10);
}

TEST(SumStatistics, ZeroIsExactAndExtremesAreClipped) {
  const SumSetup setup = setup_of(3, 3, {{4, 1, statistics}});
  constexpr float huge = std::numeric_limits<float>::max();
  const std::vector<float> update{0, huge, -huge, 1e-30F};
  std::vector<float> mean(4);
  ASSERT_TRUE(dequantise(sum_of(setup, {update, update, update}), 3, setup, mean));
  EXPECT_EQ(mean, (std::vector<float>{0, statistic_clip, -statistic_clip, 0}));
  std::vector<std::uint32_t> out(vector_elements(setup));
  for (const float bad : {std::numeric_limits<float>::infinity(), std::nanf("")})
    EXPECT_FALSE(quantise(std::vector<float>{0, 0, bad, 0}, 1, {}, setup, seed_of(0), out));
}

// They are neither rotated nor left out, so that none is carried over to the next update.
TEST(SumStatistics, AFractionOfTheParametersIsSummedWithAllStatistics) {
  SumSetup setup = setup_of(3, 8, {{4'096, 1}, {50, 1, statistics}});
  setup.quantisation.rotated = true;
  setup.quantisation.fraction = 0.25;
  std::vector<float> update(4'146), left(4'146), mean(4'146);
  Random random(1);
  for (float& value : update) value = static_cast<float>(random.normal());
  left_out(update, setup, left);
  for (std::size_t i = 4'096; i < left.size(); ++i) EXPECT_EQ(left[i], 0);
  ASSERT_TRUE(dequantise(sum_of(setup, {update, update, update}), 3, setup, mean));
  for (std::size_t i = 4'096; i < mean.size(); ++i) EXPECT_NEAR(mean[i], update[i], 1e-6);
}

// A client that claims the least level in every round moves the scale of a few statistics, which the octaves of the
// parameters do not guard, by a bounded factor.
TEST(AdversaryScalars, OneClientCannotLeadTheScaleOfStatisticsAway) {
  constexpr std::uint32_t clients = 5;
  for (const float lie : {1e-18F, 1e18F}) {
    std::vector<Segment> segments{{200, 0.01}, {8, 0.01, statistics}};
    for (int round = 0; round < 50; ++round) {
      const SumSetup setup = setup_of(clients, 3, segments);
      Random random(static_cast<std::uint64_t>(round));
      std::vector<std::vector<float>> updates(clients, std::vector<float>(208));
      for (auto& update : updates)
        for (float& value : update) value = static_cast<float>(random.normal() * 0.01);
      for (std::size_t i = 200; i < 208; ++i) updates[0][i] = lie;
      std::vector<float> mean(208);
      const auto totals = dequantise(sum_of(setup, updates), clients, setup, mean);
      ASSERT_TRUE(totals) << totals.error().text();
      const NextRange next = choose_range(*totals, clients, setup.quantisation.levels, setup);
      for (std::size_t s = 0; s < segments.size(); ++s) segments[s].scale = next.scales[s];
      EXPECT_LT(std::abs(std::log2(segments[1].scale / 0.01)), 3) << round;
    }
  }
}

// Honest vectors with one scalar raised beyond what the clients can send.
TEST(AdversaryScalars, AStatisticBeyondItsBitsIsNoSum) {
  const SumSetup setup = setup_of(3, 3, {{4, 1}, {2, 1, statistics}});
  const std::vector<float> update{0, 0, 0, 0, 256, 256};
  auto sum = sum_of(setup, {update, update, update});
  std::vector<float> mean(6);
  ASSERT_TRUE(dequantise(sum, 3, setup, mean));
  sum.back() = 3 * setup.quantisation.levels;  // the highest digit
  EXPECT_FALSE(dequantise(sum, 3, setup, mean));
}

TEST(SegmentsOfASum, KeepTheirKindIfThatIsEnough) {
  std::vector<Segment> few{{5, 1}, {0, 1}, {7, 1, statistics}};
  EXPECT_EQ(segments_of_sum(few), few);

  std::vector<Segment> many(2'500, {3, 1});
  for (std::size_t i = 0; i < 500; ++i) many[i].kind = statistics;
  const auto by_kind = segments_of_sum(many);
  EXPECT_LE(by_kind.size(), segments_max);
  std::uint64_t fine = 0, all = 0;
  for (const Segment& segment : by_kind) {
    all += segment.values;
    if (segment.kind == statistics) fine += segment.values;
  }
  EXPECT_EQ(fine, 1'500U);
  EXPECT_EQ(all, 7'500U);

  std::vector<Segment> alternating;
  for (int i = 0; i < 1'500; ++i) alternating.push_back({2, 1, i % 2 == 0 ? parameters : statistics});
  const auto mixed = segments_of_sum(alternating);
  EXPECT_LE(mixed.size(), segments_max);
  all = 0;
  for (const Segment& segment : mixed) {
    EXPECT_EQ(segment.kind, parameters);
    all += segment.values;
  }
  EXPECT_EQ(all, 3'000U);
}

// A vector that is many times longer than the model would be a way to exhaust a client's memory.
TEST(SegmentsOfASum, StatisticsAreASmallPartOfTheModel) {
  const std::vector<Segment> most{{145'904, 1}, {14'096, 1, statistics}};
  EXPECT_EQ(segments_of_sum(most), most);
  SumSetup setup = setup_of(3, 3, most);
  EXPECT_TRUE(check(setup));
  const std::vector<Segment> more{{145'903, 1}, {14'097, 1, statistics}};
  EXPECT_EQ(segments_of_sum(more), (std::vector<Segment>{{145'903, 1}, {14'097, 1}}));
  setup.segments = more;
  EXPECT_FALSE(check(setup)) << "a client refuses it";
}

}  // namespace
}  // namespace hansa::secure_aggregation
