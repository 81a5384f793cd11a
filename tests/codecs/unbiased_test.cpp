#include "tests/codecs/support.h"

namespace hansa::codecs {
namespace {

struct Moments {
  double bias = 0;  // square of the mean's error over seeds, less the part that randomness explains
  double noise = 0;  // the part that randomness explains
  double variance = 0;
};  // both relative to the squared length of the vector

Moments moments_of(const std::string& text, std::size_t length, int seeds) {
  const Plan plan = plan_of(text, length);
  const auto values = update_of(length, 21);
  std::vector<double> sums(length);
  double squares = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    const auto number = static_cast<std::uint64_t>(seed);
    const Seeds all{derive_seed(number, "a"), derive_seed(number, "b"), derive_seed(number, "c")};
    const auto decoded = decode(plan, encode(plan, values, all).bytes, all);
    for (std::size_t i = 0; i < length; ++i) {
      const double difference = static_cast<double>(decoded[i]) - values[i];
      sums[i] += difference;
      squares += difference * difference;
    }
  }
  Moments out;
  out.variance = squares / seeds / squared(values);
  out.noise = out.variance / seeds;
  for (const double sum : sums) out.bias += (sum / seeds) * (sum / seeds) / squared(values);
  out.bias -= out.noise;
  return out;
}

// The squared error of the means must be explained by the variance, up to a tenth.
void expect_unbiased(const std::string& text, std::size_t length, double variance_max) {
  const Moments moments = moments_of(text, length, 4'000);
  EXPECT_LT(moments.bias, 0.2 * moments.noise) << text;
  EXPECT_LT(moments.variance, variance_max) << text;
}

TEST(Unbiased, StochasticQuantisation) {
  for (const char* text : {"q1", "q2", "q4", "q8"}) expect_unbiased(text, 700, 1'000);
}
TEST(Unbiased, RandomCoordinates) {
  // (1 / F - 1) of the squares, and what rounding adds.
  expect_unbiased("randk(0.25, q8)", 700, 3.05);
  expect_unbiased("randk(0.1, q8)", 350, 9.4);
}

// Only random rotations from the full group are unbiased. Hadamard rotations have the bias that spec.h states.
TEST(Unbiased, TheBiasOfRotationsIsAsSmallAsDocumented) {
  const auto expect = [](const char* text, double length_of_bias, double variance_max) {
    const Moments moments = moments_of(text, 4096, 4'000);
    EXPECT_LT(moments.bias, length_of_bias * length_of_bias) << text;
    EXPECT_LT(moments.variance, variance_max) << text;
  };
  expect("q1-rotated", 0.015, 0.58);
  expect("q2-rotated", 0.008, 0.14);
  expect("q4-rotated", 0.003, 0.0119);
}

TEST(Unbiased, VarianceOfStochasticQuantisationIsWithinTheBound) {
  const Plan plan = plan_of("q3", 512);
  const auto values = update_of(512, 4);
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::fabs(value));
  std::vector<double> squares(values.size());
  constexpr int seeds = 2'000;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const Seeds all{0, 0, derive_seed(seed, "rounding")};
    const auto decoded = decode(plan, encode(plan, values, all).bytes, all);
    for (std::size_t i = 0; i < values.size(); ++i)
      squares[i] +=
          (static_cast<double>(decoded[i]) - values[i]) * (static_cast<double>(decoded[i]) - values[i]);
  }
  const double bound = static_cast<double>(largest / 7) * (largest / 7);
  for (const double sum : squares) EXPECT_LT(sum / seeds, bound * 1.1);
}

}  // namespace
}  // namespace hansa::codecs
