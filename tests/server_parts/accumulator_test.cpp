#include "server/aggregation/accumulator.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "common/random.h"
#include "server/optimizers/fed_avg.h"

namespace hansa::server {
namespace {

struct Update {
  std::vector<float> delta;
  std::uint64_t weight;
};

std::vector<Update> random_updates(std::size_t updates, std::size_t elements,
                                   const AccumulationBounds& bounds, std::uint64_t seed) {
  Random random(seed);
  std::vector<Update> out(updates);
  for (Update& update : out) {
    update.weight = 1 + random.below(bounds.weight_max);
    update.delta.resize(elements);
    for (float& value : update.delta)
      value =
          std::clamp(static_cast<float>(random.normal()) * 0.1F, -bounds.magnitude_max, bounds.magnitude_max);
  }
  return out;
}

void fold(Accumulator& accumulator, const Update& update, std::size_t block = SIZE_MAX) {
  for (std::size_t first = 0; first < update.delta.size();
       first += std::min(block, update.delta.size() - first)) {
    const auto part = std::span(update.delta).subspan(first, std::min(block, update.delta.size() - first));
    ASSERT_TRUE(accumulator.check(part, first));
    ASSERT_TRUE(accumulator.add(part, first, update.weight));
  }
  accumulator.count_update(update.weight);
}

// The model that plain averaging computes from the sum.
void finish(const Accumulator& accumulator, WorkerPool& workers, std::span<const float> model,
            std::span<float> next) {
  FedAvg(workers).step(model, accumulator, {}, next);
}

std::vector<std::uint32_t> bits(std::span<const float> values) {
  std::vector<std::uint32_t> out;
  for (const float value : values) out.push_back(std::bit_cast<std::uint32_t>(value));
  return out;
}

TEST(Accumulator, AnyOrderAnyBlocksAnyThreadsGiveTheSameBits) {
  constexpr std::size_t elements = 280'001;
  AccumulationBounds bounds;
  bounds.updates_max = 20;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    auto updates = random_updates(bounds.updates_max, elements, bounds, seed);
    Random random(seed + 100);
    std::vector<float> global(elements);
    for (float& value : global) value = static_cast<float>(random.normal());
    std::vector<std::uint32_t> expected;
    std::vector<std::int64_t> expected_sums;
    for (const unsigned threads : {1U, 2U, 3U, 5U}) {
      WorkerPool workers(threads);
      Accumulator accumulator(elements, workers);
      ASSERT_TRUE(accumulator.begin(bounds));
      for (const Update& update : updates)
        fold(accumulator, update, threads == 1 ? SIZE_MAX : 133'000 + threads);
      std::vector<float> next(elements);
      finish(accumulator, workers, global, next);
      if (expected.empty()) {
        expected = bits(next);
        expected_sums.assign(accumulator.sums().begin(), accumulator.sums().end());
      }
      ASSERT_EQ(bits(next), expected);
      ASSERT_TRUE(std::ranges::equal(accumulator.sums(), expected_sums));
      random.shuffle(std::span(updates));
    }
  }
}

TEST(Accumulator, TheSumIsTheExactOneRoundedOncePerUpdate) {
  constexpr std::size_t elements = 1000;
  AccumulationBounds bounds{.weight_max = 1000, .updates_max = 50, .magnitude_max = 8.0F};
  const auto updates = random_updates(bounds.updates_max, elements, bounds, 42);
  WorkerPool workers(1);
  Accumulator accumulator(elements, workers);
  ASSERT_TRUE(accumulator.begin(bounds));
  for (const Update& update : updates) fold(accumulator, update);
  std::vector<float> next(elements);
  finish(accumulator, workers, std::vector<float>(elements, 0.0F), next);
  for (std::size_t i = 0; i < elements; ++i) {
    long double sum = 0, weight = 0;
    for (const Update& update : updates) {
      sum += static_cast<long double>(update.delta[i]) * static_cast<long double>(update.weight);
      weight += static_cast<long double>(update.weight);
    }
    const long double error = std::fabs(static_cast<long double>(accumulator.sums()[i]) -
                                        std::ldexp(sum, accumulator.scale_bits()));
    ASSERT_LE(error, 0.5L * bounds.updates_max + 1);
    ASSERT_NEAR(next[i], static_cast<double>(sum / weight), 1e-6);
  }
}

TEST(Accumulator, AMeanOfEqualUpdatesIsTheUpdate) {
  WorkerPool workers(1);
  Accumulator accumulator(3, workers);
  ASSERT_TRUE(accumulator.begin({.weight_max = 1 << 20, .updates_max = 3, .magnitude_max = 1.0F}));
  const std::vector<float> delta{0.25F, -0.125F, 1.0F};
  for (const std::uint64_t weight : {1ULL, 7ULL, 1ULL << 20}) fold(accumulator, {delta, weight});
  std::vector<float> model{1.0F, 2.0F, -1.0F};
  finish(accumulator, workers, model, model);  // in place
  EXPECT_EQ(model, (std::vector<float>{1.25F, 1.875F, 0.0F}));
  EXPECT_EQ(accumulator.total_weight(), (1ULL << 20) + 8);
  EXPECT_EQ(accumulator.updates(), 3U);
}

// The extremes of every bound together: the sum must not overflow, and must be exact.
struct Extreme {
  std::uint64_t weight;
  std::uint32_t updates;
  float magnitude;
};
class AccumulatorExtremes : public ::testing::TestWithParam<Extreme> {};
TEST_P(AccumulatorExtremes, FullWeightFullMagnitudeFullCountIsExact) {
  const auto [weight, updates, magnitude] = GetParam();
  WorkerPool workers(1);
  Accumulator accumulator(2, workers);
  ASSERT_TRUE(accumulator.begin({.weight_max = weight, .updates_max = updates, .magnitude_max = magnitude}));
  ASSERT_GE(accumulator.scale_bits(), 8);
  ASSERT_LE(accumulator.scale_bits(), 40);
  const std::vector<float> delta{magnitude, -magnitude};
  ASSERT_TRUE(accumulator.check(delta, 0));
  ASSERT_TRUE(accumulator.check_weight(weight));
  for (std::uint32_t i = 0; i < updates; ++i) {
    ASSERT_TRUE(accumulator.add(delta, 0, weight));
    accumulator.count_update(weight);
  }
  const double one = std::nearbyint(
      std::ldexp(static_cast<double>(weight) * static_cast<double>(magnitude), accumulator.scale_bits()));
  const auto expected = static_cast<__int128>(one) * updates;
  EXPECT_TRUE(static_cast<__int128>(accumulator.sums()[0]) == expected);
  EXPECT_TRUE(static_cast<__int128>(accumulator.sums()[1]) == -expected);
  EXPECT_LE(expected, static_cast<__int128>(1) << 62 | 1 << 20);
  std::vector<float> next(2, 0.0F);
  finish(accumulator, workers, next, next);
  if (magnitude >= 1.0F) {
    EXPECT_EQ(next[0], magnitude);
    EXPECT_EQ(next[1], -magnitude);
  }
}
INSTANTIATE_TEST_SUITE_P(Bounds, AccumulatorExtremes,
                         ::testing::Values(Extreme{1, 1, 1.0F}, Extreme{1ULL << 29, 100'000, 64.0F},
                                           Extreme{(1ULL << 29) - 1, 99'999, 127.99999F},
                                           Extreme{1ULL << 29, 1, 16'777'215.0F}, Extreme{1, 1, 1.8e16F},
                                           Extreme{1, 100'000, 1.0e-30F},
                                           Extreme{1ULL << 29, 1 << 16, 256.0F},
                                           Extreme{3, 3, 1.1754944e-38F}, Extreme{1, 1, 1.4012985e-45F}));

TEST(Accumulator, BoundsThatLeaveTooFewFractionBitsAreRefused) {
  WorkerPool workers(1);
  Accumulator accumulator(1, workers);
  const auto refused =
      accumulator.begin({.weight_max = 1ULL << 29, .updates_max = 100'000, .magnitude_max = 1024.0F});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::usage);
  EXPECT_NE(refused.error().hint.find("magnitude_max"), std::string::npos);
}

TEST(Accumulator, BoundsOutOfRangeAreRefused) {
  WorkerPool workers(1);
  Accumulator accumulator(1, workers);
  const float infinite = std::numeric_limits<float>::infinity();
  for (const AccumulationBounds& bounds :
       {AccumulationBounds{0, 1, 1.0F}, AccumulationBounds{(1ULL << 29) + 1, 1, 1.0F},
        AccumulationBounds{1, 0, 1.0F}, AccumulationBounds{1, 100'001, 1.0F}, AccumulationBounds{1, 1, 0.0F},
        AccumulationBounds{1, 1, -1.0F}, AccumulationBounds{1, 1, infinite},
        AccumulationBounds{1, 1, std::nanf("")}})
    EXPECT_FALSE(accumulator.begin(bounds)) << bounds.weight_max << " " << bounds.updates_max;
}

TEST(Accumulator, CheckNamesTheFirstBadElementAndAddsNothing) {
  constexpr std::size_t elements = 200'000;
  WorkerPool workers(4);
  Accumulator accumulator(elements, workers);
  ASSERT_TRUE(accumulator.begin({.weight_max = 10, .updates_max = 2, .magnitude_max = 4.0F}));
  std::vector<float> delta(elements - 5, 4.0F);
  EXPECT_TRUE(accumulator.check(delta, 5));
  delta[199'000] = std::nanf("");
  delta[150'000] = 4.5F;
  const auto refused = accumulator.check(delta, 5);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::protocol);
  EXPECT_NE(refused.error().what.find("at parameter 150005"), std::string::npos) << refused.error().text();
  EXPECT_TRUE(std::ranges::all_of(accumulator.sums(), [](std::int64_t sum) { return sum == 0; }));
}

TEST(Accumulator, AddingAnInvalidUpdateDoesNotChangeTheSum) {
  constexpr std::size_t elements = 200'000;
  WorkerPool workers(4);
  Accumulator accumulator(elements, workers);
  const AccumulationBounds bounds{.weight_max = 1 << 20, .updates_max = 9, .magnitude_max = 64.0F};
  ASSERT_TRUE(accumulator.begin(bounds));
  const auto updates = random_updates(2, elements, bounds, 3);
  fold(accumulator, updates[0]);
  const std::vector<std::int64_t> before(accumulator.sums().begin(), accumulator.sums().end());
  for (const std::size_t bad : {0UL, 70'000UL, 149'999UL, elements - 1}) {
    auto delta = updates[1].delta;
    delta[bad] = bad % 2 == 0 ? std::nanf("") : -64.001F;
    const auto refused = accumulator.add(delta, 0, updates[1].weight);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().text(), accumulator.check(delta, 0).error().text());
    EXPECT_NE(refused.error().what.find("at parameter " + std::to_string(bad) + ","), std::string::npos);
    EXPECT_TRUE(std::ranges::equal(accumulator.sums(), before)) << bad;
  }
}

TEST(Accumulator, MoreValuesThanParametersAreRefused) {
  WorkerPool workers(1);
  Accumulator accumulator(10, workers);
  ASSERT_TRUE(accumulator.begin({}));
  EXPECT_FALSE(accumulator.check(std::vector<float>(11), 0));
  EXPECT_FALSE(accumulator.check(std::vector<float>(1), 10));
  EXPECT_FALSE(accumulator.check(std::vector<float>(1), SIZE_MAX));
  EXPECT_TRUE(accumulator.check(std::vector<float>(1), 9));
  EXPECT_FALSE(accumulator.add(std::vector<float>(1), 10, 1));
}

TEST(Accumulator, WeightsOutOfRangeAreRefused) {
  WorkerPool workers(1);
  Accumulator accumulator(1, workers);
  ASSERT_TRUE(accumulator.begin({.weight_max = 10, .updates_max = 2, .magnitude_max = 4.0F}));
  EXPECT_FALSE(accumulator.check_weight(0));
  EXPECT_FALSE(accumulator.check_weight(11));
  EXPECT_TRUE(accumulator.check_weight(1));
  EXPECT_TRUE(accumulator.check_weight(10));
}

TEST(Accumulator, BeginResetsTheSumInTheSameMemory) {
  WorkerPool workers(1);
  Accumulator accumulator(100, workers);
  ASSERT_TRUE(accumulator.begin({}));
  const auto* const memory = accumulator.sums().data();
  fold(accumulator, {std::vector<float>(100, 1.0F), 3});
  ASSERT_TRUE(accumulator.begin({}));
  EXPECT_EQ(accumulator.sums().data(), memory);
  EXPECT_EQ(accumulator.total_weight(), 0U);
  EXPECT_EQ(accumulator.updates(), 0U);
  EXPECT_EQ(std::accumulate(accumulator.sums().begin(), accumulator.sums().end(), std::int64_t{0}), 0);
}

TEST(Accumulator, AModelAtTheLargestFloatStaysFinite) {
  WorkerPool workers(1);
  Accumulator accumulator(2, workers);
  ASSERT_TRUE(accumulator.begin({.weight_max = 1, .updates_max = 1, .magnitude_max = 1.0e15F}));
  fold(accumulator, {{1.0e15F, -1.0e15F}, 1});
  constexpr float largest = std::numeric_limits<float>::max();
  std::vector<float> model{largest, -largest};
  finish(accumulator, workers, model, model);
  EXPECT_EQ(model, (std::vector<float>{largest, -largest}));
}

}  // namespace
}  // namespace hansa::server
