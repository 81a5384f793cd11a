#include "server/aggregation/internal/fold_kernels.h"

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "common/random.h"

namespace hansa::server::internal {
namespace {

// Values of every magnitude whose product with factor stays within 2^62, ties among them.
std::vector<float> values_for(double factor, std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(count);
  const double largest = std::min(std::ldexp(1.0, 62) / factor, 3.0e38);
  for (float& value : values) {
    const double sign = random.chance(0.5) ? 1 : -1;
    switch (random.below(6)) {
      case 0: value = static_cast<float>(sign * largest * random.uniform()); break;
      case 1:
        value = static_cast<float>(sign * (static_cast<double>(random.below(1000)) + 0.5) / factor);
        break;
      case 2:
        value = static_cast<float>(sign * largest * std::ldexp(1.0, -static_cast<int>(random.below(80))));
        break;
      case 3: value = static_cast<float>(sign) * std::numeric_limits<float>::denorm_min(); break;
      case 4: value = static_cast<float>(sign * 0.0); break;
      default: value = static_cast<float>(random.normal()); break;
    }
    if (std::fabs(static_cast<double>(value)) > largest)
      value = static_cast<float>(sign) *
              std::bit_cast<float>(std::bit_cast<std::uint32_t>(static_cast<float>(largest)) - 1U);
  }
  return values;
}

TEST(FoldKernels, EveryVariantEqualsTheScalarTwinOverLengthsAndMisalignments) {
  for (const FoldVariant& variant : fold_variants()) {
    std::uint64_t seed = 1;
    for (const double factor : {1.0, 256.0, 3 * std::ldexp(1.0, 40), 536'870'911.0 * 256, std::ldexp(1.0, 62),
                                std::ldexp(1048575.0, 36)}) {
      for (std::size_t count = 0; count < 70; ++count) {
        for (std::size_t shift = 0; shift < 4; ++shift) {
          const std::vector<float> values = values_for(factor, count + shift, ++seed);
          std::vector<std::int64_t> sums(count + shift + 1, 77), expected = sums;
          variant.add_scaled(sums.data() + shift, values.data() + shift, count, factor);
          add_scaled_reference(std::span(expected).subspan(shift, count), std::span(values).subspan(shift),
                               factor);
          ASSERT_EQ(sums, expected) << variant.name << ", factor " << factor << ", count " << count
                                    << ", seed " << seed;
        }
      }
    }
  }
}

TEST(FoldKernels, EveryVariantEqualsTheScalarTwinOnAMillionValues) {
  for (const FoldVariant& variant : fold_variants()) {
    const double factor = std::ldexp(12345.0, 33);
    const auto values = values_for(factor, 1'000'000, 5);
    std::vector<std::int64_t> sums(values.size(), 0), expected = sums;
    variant.add_scaled(sums.data(), values.data(), values.size(), factor);
    add_scaled_reference(expected, values, factor);
    ASSERT_TRUE(sums == expected) << variant.name;
  }
}

TEST(FoldKernels, EveryVariantsQuotientEqualsTheScalarTwinAlsoInPlace) {
  Random random(11);
  for (const FoldVariant& variant : fold_variants()) {
    for (const std::size_t count : {0UL, 1UL, 7UL, 8UL, 17UL, 63UL, 10'001UL}) {
      for (const double divisor : {1.0, 3.0, 1e-30, 600 * std::ldexp(1.0, 40), std::ldexp(99'999.0, 29)}) {
        std::vector<float> global(count), next(count), expected(count);
        std::vector<std::int64_t> sums(count);
        for (std::size_t i = 0; i < count; ++i) {
          global[i] = static_cast<float>(random.normal() * (random.chance(0.1) ? 1e38 : 1));
          sums[i] = static_cast<std::int64_t>(random.next()) >> random.below(64);
        }
        if (count > 2) sums[0] = std::numeric_limits<std::int64_t>::max(), sums[1] = -sums[0] - 1;
        add_quotient_reference(global, sums, divisor, expected);
        variant.add_quotient(global.data(), sums.data(), count, divisor, next.data());
        ASSERT_EQ(next, expected) << variant.name << ", divisor " << divisor;
        variant.add_quotient(global.data(), sums.data(), count, divisor, global.data());
        ASSERT_EQ(global, expected) << variant.name << ", divisor " << divisor;
      }
    }
  }
}

TEST(FoldKernels, HalvesRoundToEven) {
  const std::vector<float> values{0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F, 0.49999997F, 8388607.5F};
  for (const FoldVariant& variant : fold_variants()) {
    std::vector<std::int64_t> sums(values.size(), 0);
    variant.add_scaled(sums.data(), values.data(), values.size(), 1.0);
    EXPECT_EQ(sums, (std::vector<std::int64_t>{0, 2, 2, 0, -2, -2, 0, 8388608})) << variant.name;
  }
}

TEST(FoldKernels, TheFirstValueOutsideIsFoundAtEveryPlace) {
  constexpr float infinite = std::numeric_limits<float>::infinity();
  constexpr float limit = 2.5F;
  for (const float bad :
       {2.5000002F, -2.5000002F, infinite, -infinite, std::numeric_limits<float>::quiet_NaN(),
        -std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::max()}) {
    for (const std::size_t count : {1UL, 7UL, 31UL, 64UL, 4096UL, 4099UL, 9000UL}) {
      for (const std::size_t at : {0UL, count / 2, count - 1}) {
        std::vector<float> values(count, limit);
        values[at] = bad;
        values[count - 1] = at == count - 1 ? bad : -bad;
        EXPECT_EQ(first_outside(values, limit), at);
        EXPECT_EQ(first_outside_reference(values, limit), at);
        for (const FoldVariant& variant : fold_variants())
          EXPECT_TRUE(variant.any_outside(values.data(), count, limit)) << variant.name;
      }
    }
  }
}

TEST(FoldKernels, ValuesAtTheLimitAndSmallerAreInside) {
  const std::vector<float> values{2.5F, -2.5F, 0.0F, -0.0F, std::numeric_limits<float>::denorm_min(), -1.0F};
  EXPECT_EQ(first_outside(values, 2.5F), values.size());
  EXPECT_EQ(first_outside({}, 2.5F), 0U);
  for (const FoldVariant& variant : fold_variants())
    EXPECT_FALSE(variant.any_outside(values.data(), values.size(), 2.5F)) << variant.name;
}

}  // namespace
}  // namespace hansa::server::internal
