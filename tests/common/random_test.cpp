// Golden values of splitmix64 and xoshiro256** from an independent Python implementation, which was checked against the
// test vectors of Vigna's C code (splitmix64 from 1234567, xoshiro256** from the state 1, 2, 3, 4).
#include "common/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

namespace hansa {
namespace {

TEST(Random, GivesTheGoldenValues) {
  Random zero(0);
  for (const std::uint64_t expected :
       {0x99ec5f36cb75f2b4ULL, 0xbf6e1f784956452aULL, 0x1a5f849d4933e6e0ULL, 0x6aa594f1262d2d2cULL})
    EXPECT_EQ(zero.next(), expected);
  Random answer(42);
  for (const std::uint64_t expected :
       {0x15780b2e0c2ec716ULL, 0x6104d9866d113a7eULL, 0xae17533239e499a1ULL, 0xecb8ad4703b360a1ULL})
    EXPECT_EQ(answer.next(), expected);
}

// Python: int.from_bytes(sha256(b"hansa seed v1" + lengths and values).digest()[:8], "little")
TEST(DeriveSeed, GivesTheGoldenValues) {
  EXPECT_EQ(derive_seed(1, "cohort"), 0x6591dc43c9929311ULL);
  EXPECT_EQ(derive_seed(1, "training", 7, "client-03"), 0x455f68cc00d82e1fULL);
}

TEST(DeriveSeed, EachPartMatters) {
  const std::set<std::uint64_t> seeds{derive_seed(1, "a"),         derive_seed(2, "a"),
                                      derive_seed(1, "b"),         derive_seed(1, "a", 1),
                                      derive_seed(1, "a", 0, "b"), derive_seed(1, "ab"),
                                      derive_seed(1, "", 0, "ab"), derive_seed(1, "a", 1, "b")};
  EXPECT_EQ(seeds.size(), 8U);
}

double chi_square(std::span<const std::size_t> counts, double expected) {
  double sum = 0;
  for (const std::size_t count : counts) {
    const double difference = static_cast<double>(count) - expected;
    sum += difference * difference / expected;
  }
  return sum;
}

// 99.9 % quantiles of chi-square; the seed is fixed, so the result is always the same.
TEST(Random, BelowIsUniform) {
  struct Case {
    std::uint64_t bound;
    double limit;
  };
  for (const auto& [bound, limit] : {Case{2, 10.83}, Case{3, 13.82}, Case{10, 27.88}, Case{97, 144.6}}) {
    Random random(bound);
    std::vector<std::size_t> counts(bound, 0);
    const std::size_t draws = 10'000 * bound;
    for (std::size_t i = 0; i < draws; ++i) ++counts[random.below(bound)];
    EXPECT_LT(chi_square(counts, 10'000), limit) << "below " << bound;
  }
}

// A modulo bias would be obvious here: with next() % bound the lower half would occur twice as often.
TEST(Random, BelowAHugeBoundHasNoBias) {
  constexpr std::uint64_t bound = 3ULL << 62;
  Random random(5);
  std::array<std::size_t, 3> counts{};
  for (int i = 0; i < 30'000; ++i) ++counts[random.below(bound) >> 62];
  EXPECT_LT(chi_square(counts, 10'000), 13.82);
}

TEST(Random, UniformIsInRangeAndUniform) {
  Random random(7);
  std::array<std::size_t, 20> counts{};
  for (int i = 0; i < 200'000; ++i) {
    const double x = random.uniform();
    ASSERT_GE(x, 0.0);
    ASSERT_LT(x, 1.0);
    ++counts[static_cast<std::size_t>(x * 20)];
  }
  EXPECT_LT(chi_square(counts, 10'000), 43.8);
}

TEST(Random, ShuffleReachesEveryPermutationEquallyOften) {
  Random random(11);
  std::array<std::size_t, 27>
      counts{};  // permutations of 3 values, written in base 3; six of the 27 numbers are permutations
  for (int i = 0; i < 60'000; ++i) {
    std::array<std::size_t, 3> values{0, 1, 2};
    random.shuffle(std::span<std::size_t>(values));
    ++counts[values[0] * 9 + values[1] * 3 + values[2]];
  }
  std::vector<std::size_t> seen;
  std::copy_if(counts.begin(), counts.end(), std::back_inserter(seen), [](std::size_t n) { return n > 0; });
  ASSERT_EQ(seen.size(), 6U);
  EXPECT_LT(chi_square(seen, 10'000), 20.5);
}

struct Moments {
  double mean = 0;
  double variance = 0;
};
template <class Draw>
Moments measure(Draw draw) {
  constexpr int draws = 200'000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < draws; ++i) {
    const double x = draw();
    sum += x;
    squares += x * x;
  }
  const double mean = sum / draws;
  return {mean, squares / draws - mean * mean};
}

TEST(Random, NormalHasMeanZeroAndVarianceOne) {
  Random random(13);
  const Moments moments = measure([&] { return random.normal(); });
  EXPECT_NEAR(moments.mean, 0.0, 0.01);
  EXPECT_NEAR(moments.variance, 1.0, 0.02);
}

TEST(Random, GammaHasItsShapeAsMeanAndVariance) {
  for (const double shape : {0.1, 0.5, 1.0, 2.5, 40.0}) {
    Random random(17);
    const Moments moments = measure([&] { return random.gamma(shape); });
    EXPECT_NEAR(moments.mean, shape, 0.02 * shape + 0.005) << "shape " << shape;
    EXPECT_NEAR(moments.variance, shape, 0.05 * shape + 0.01) << "shape " << shape;
  }
}

}  // namespace
}  // namespace hansa
