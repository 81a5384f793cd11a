// Numbers at the edges of their types, from the aggregator (clip, scales, weight unit) and from training (values,
// metrics): each is refused with an error, or is converted within the range of the ring. The asan preset runs these
// with -fsanitize=float-cast-overflow.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "protocols/secure_aggregation/number_limits.h"
#include "protocols/secure_aggregation/quantise.h"
#include "tests/secure_aggregation/cohort.h"

namespace hansa::secure_aggregation {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr float float_max = std::numeric_limits<float>::max();
constexpr float float_nan = std::numeric_limits<float>::quiet_NaN();
constexpr float float_denormal = std::numeric_limits<float>::denorm_min();
constexpr std::uint64_t weight_max = (std::uint64_t{1} << 48) - 1;

SumSetup setup_of(std::uint32_t levels, std::size_t parameters) {
  SumSetup setup = testing::small_setup(5);
  setup.segments = {{parameters, 1}};
  setup.quantisation = {levels, ring_bits(5, levels), 0.5, 100};
  setup.metrics = {"loss"};
  return setup;
}

Result<std::vector<std::uint32_t>> quantised(const std::vector<float>& values, std::uint64_t weight,
                                             const SumSetup& setup, const Metrics& metrics = {}) {
  std::vector<std::uint32_t> out(vector_elements(setup));
  HANSA_TRY_VOID(quantise(values, weight, metrics, setup, Secret32{}, out));
  return out;
}

// 0, denormal, negative, tiny, huge, infinite and NaN numbers in the place of each number of a setup.
TEST(AdversaryNumbers, ADenormalOrZeroClipScaleOrWeightUnitIsRefused) {
  for (const double number :
       {0.0, -0.0, -1.0, std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::min(),
        1e-300, 0x1p-129, 0x1p129, 1e300, std::numeric_limits<double>::max(), infinity, -infinity, nan}) {
    SCOPED_TRACE(number);
    for (int place = 0; place < 3; ++place) {
      SumSetup setup = setup_of(255, 4);
      (place == 0   ? setup.quantisation.clip
       : place == 1 ? setup.quantisation.weight_unit
                    : setup.segments[0].scale) = number;
      const auto checked = check(setup);
      ASSERT_FALSE(checked) << place;
      EXPECT_EQ(checked.error().code, ErrorCode::usage);
      const auto refused = quantised({0.0F, 1.0F, -1.0F, float_max}, 1, setup);
      ASSERT_FALSE(refused) << place;
      EXPECT_EQ(refused.error().code, ErrorCode::usage);
    }
  }
}

// All combinations of the extremes of what is allowed give ring elements.
TEST(AdversaryNumbers, EveryCombinationOfExtremesStaysOnTheGrid) {
  const std::vector<float> values{0.0F, -0.0F, float_denormal, -float_denormal, 1.0F, float_max, -float_max};
  for (const double clip : {clip_lowest, clip_highest})
    for (const double unit : {weight_unit_lowest, weight_unit_highest})
      for (const double scale : {scale_lowest, scale_highest})
        for (const std::uint32_t levels : {levels_min, 255U, levels_max})
          for (const std::uint64_t weight : {std::uint64_t{0}, std::uint64_t{1}, weight_max}) {
            SumSetup setup = setup_of(levels, values.size());
            setup.quantisation.clip = clip;
            setup.quantisation.weight_unit = unit;
            setup.segments[0].scale = scale;
            if (!check(setup)) continue;  // the ring of so many levels is too large
            const auto numbers = quantised(values, weight, setup, {{"loss", 1e308, 1e308}});
            ASSERT_TRUE(numbers) << numbers.error().text();
            for (const std::uint32_t number : *numbers) ASSERT_LE(number, levels);
          }
}

TEST(AdversaryNumbers, AnInfiniteOrNotANumberValueIsRefusedWhereverItIs) {
  const std::size_t count = 5'000;  // more than a block, and a rest
  for (const bool rotated : {false, true})
    for (const double fraction : {1.0, 0.25})
      for (const float value :
           {float_nan, -float_nan, static_cast<float>(infinity), -static_cast<float>(infinity)})
        for (const std::size_t at : {std::size_t{0}, std::size_t{1}, count / 2, count - 1}) {
          SumSetup setup = setup_of(255, count);
          setup.quantisation.rotated = rotated;
          setup.quantisation.fraction = fraction;
          std::vector<float> values(count, 0.25F);
          ASSERT_TRUE(quantised(values, 10, setup));
          values[at] = value;
          const auto refused = quantised(values, 10, setup);
          ASSERT_FALSE(refused) << rotated << ", " << fraction << ", " << at;
          EXPECT_EQ(refused.error().code, ErrorCode::data);
        }
}

// Finite values whose rotation overflows float32.
TEST(AdversaryNumbers, ValuesThatOverflowInTheRotationAreRefused) {
  SumSetup setup = setup_of(255, 4'096);
  setup.quantisation.rotated = true;
  const auto refused = quantised(std::vector<float>(4'096, float_max), 10, setup);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::data);
}

TEST(AdversaryNumbers, AMetricThatIsNotFiniteCountsAsMissing) {
  const SumSetup setup = setup_of(255, 3);
  const std::vector<float> values{0.1F, 0.2F, 0.3F};
  const auto without = quantised(values, 10, setup);
  ASSERT_TRUE(without);
  for (const Metric& metric : {Metric{"loss", nan, 10}, Metric{"loss", infinity, 10},
                               Metric{"loss", 1, -infinity}, Metric{"loss", 1, nan}})
    EXPECT_EQ(*quantised(values, 10, setup, {metric}), *without);
}

}  // namespace
}  // namespace hansa::secure_aggregation
