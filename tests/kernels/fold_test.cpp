#include "common/kernels/fold.h"

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "common/random.h"
#include "tests/kernels/every_target.h"

namespace hansa::kernels {
namespace {

// Values of every magnitude, including ties, whose product with `factor` stays within 2^62.
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

TEST(FoldKernels, EveryVariantEqualsTheScalarReferenceOverLengthsAndMisalignments) {
  with_every_target([&] {
    std::uint64_t seed = 1;
    for (const double factor : {1.0, 256.0, 3 * std::ldexp(1.0, 40), 536'870'911.0 * 256, std::ldexp(1.0, 62),
                                std::ldexp(1048575.0, 36)}) {
      for (std::size_t count = 0; count < 70; ++count) {
        for (std::size_t shift = 0; shift < 4; ++shift) {
          const std::vector<float> values = values_for(factor, count + shift, ++seed);
          std::vector<std::int64_t> sums(count + shift + 1, 77), expected = sums;
          add_scaled(std::span(sums).subspan(shift, count), std::span(values).subspan(shift, count), factor);
          add_scaled_reference(std::span(expected).subspan(shift, count), std::span(values).subspan(shift),
                               factor);
          ASSERT_EQ(sums, expected) << "factor " << factor << ", count " << count << ", seed " << seed;
        }
      }
    }
  });
}

TEST(FoldKernels, EveryVariantEqualsTheScalarReferenceOnAMillionValues) {
  with_every_target([&] {
    const double factor = std::ldexp(12345.0, 33);
    const auto values = values_for(factor, 1'000'000, 5);
    std::vector<std::int64_t> sums(values.size(), 0), expected = sums;
    add_scaled(sums, values, factor);
    add_scaled_reference(expected, values, factor);
    ASSERT_TRUE(sums == expected);
  });
}

TEST(FoldKernels, AddedValuesAreSubtractedExactly) {
  with_every_target([&] {
    for (const double factor :
         {1.0, 3 * std::ldexp(1.0, 40), std::ldexp(1.0, 62), std::ldexp(1048575.0, 36)}) {
      const auto values = values_for(factor, 10'001, 9);
      std::vector<std::int64_t> sums(values.size(), 5);
      add_scaled(sums, values, factor);
      add_scaled(sums, values, -factor);
      ASSERT_EQ(sums, std::vector<std::int64_t>(values.size(), 5)) << factor;
    }
  });
}

TEST(FoldKernels, AddingWithinALimitEqualsTheScalarReferenceWithAndWithoutAValueOutside) {
  Random random(21);
  with_every_target([&] {
    for (const std::size_t count : {0UL, 1UL, 63UL, 2'048UL, 2'049UL, 9'001UL}) {
      for (int i = 0; i < 20; ++i) {
        std::vector<float> values(count);
        for (float& value : values) value = static_cast<float>(random.uniform()) * 4 - 2;
        if (count > 0 && i % 2 == 1)
          values[random.below(count)] = i % 4 == 1 ? std::numeric_limits<float>::quiet_NaN() : -2.5F;
        std::vector<std::int64_t> sums(count, 7), expected = sums;
        const std::size_t outside = add_scaled_within(sums, values, 1e6, 2.0F);
        ASSERT_EQ(outside, add_scaled_within_reference(expected, values, 1e6, 2.0F)) << count;
        ASSERT_EQ(sums, expected) << count;
      }
    }
  });
}

TEST(FoldKernels, EveryVariantsQuotientsEqualTheScalarReference) {
  Random random(11);
  with_every_target([&] {
    for (const std::size_t count : {0UL, 1UL, 7UL, 8UL, 17UL, 63UL, 10'001UL}) {
      for (const double divisor : {1.0, 3.0, 1e-30, 600 * std::ldexp(1.0, 40), std::ldexp(99'999.0, 29)}) {
        std::vector<std::int64_t> sums(count);
        for (std::int64_t& sum : sums) sum = static_cast<std::int64_t>(random.next()) >> random.below(64);
        if (count > 2) sums[0] = std::numeric_limits<std::int64_t>::max(), sums[1] = -sums[0] - 1;
        std::vector<double> found(count), expected(count);
        quotients_reference(sums, divisor, expected);
        quotients(sums, divisor, found);
        ASSERT_EQ(found, expected) << "divisor " << divisor;
      }
    }
  });
}

TEST(FoldKernels, EveryVariantsModelAndMeanEqualTheScalarReferenceAlsoInPlace) {
  Random random(12);
  with_every_target([&] {
    for (const std::size_t count : {0UL, 1UL, 7UL, 8UL, 17UL, 63UL, 10'001UL}) {
      for (const double size : {1e-9, 1.0, 1e38, 1e300}) {
        std::vector<float> model(count), next(count), expected(count);
        std::vector<double> mean(count);
        for (std::size_t i = 0; i < count; ++i) {
          model[i] = static_cast<float>(random.normal() * (random.chance(0.1) ? 1e37 : 1));
          mean[i] = random.normal() * size;
        }
        add_mean_reference(model, mean, expected);
        add_mean(model, mean, next);
        ASSERT_EQ(next, expected) << "size " << size;
        add_mean(model, mean, model);
        ASSERT_EQ(model, expected) << "size " << size;
      }
    }
  });
}

TEST(FoldKernels, LevelsEqualTheScalarReferenceForSmallAndLargeFactors) {
  Random random(3);
  with_every_target([&] {
    for (const unsigned bits : {1U, 2U, 3U, 4U, 5U, 8U}) {
      for (const double factor :
           {0.0, 1.0, -3.5, 0.3 * std::ldexp(1.0, 40), std::ldexp(1.37, 52), -std::ldexp(1.9, 53)}) {
        for (const std::size_t count : {0UL, 1UL, 7UL, 8UL, 31UL, 1001UL}) {
          std::vector<std::uint8_t> codes(count);
          for (auto& code : codes) code = static_cast<std::uint8_t>(random.below(1U << bits));
          std::vector<std::int64_t> sums(count, -5), expected = sums;
          add_levels(sums, codes, bits, factor);
          add_levels_reference(expected, codes, bits, factor);
          ASSERT_EQ(sums, expected) << bits << " bits, factor " << factor;
        }
      }
    }
  });
}

TEST(FoldKernels, HalvesRoundToEven) {
  const std::vector<float> values{0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F, 0.49999997F, 8388607.5F};
  with_every_target([&] {
    std::vector<std::int64_t> sums(values.size(), 0);
    add_scaled(sums, values, 1.0);
    EXPECT_EQ(sums, (std::vector<std::int64_t>{0, 2, 2, 0, -2, -2, 0, 8388608}));
  });
}

TEST(FoldKernels, TheFirstValueOutsideIsFoundAtEveryPosition) {
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
        EXPECT_EQ(first_outside_reference(values, limit), at);
        with_every_target([&] { EXPECT_EQ(first_outside(values, limit), at); });
      }
    }
  }
}

TEST(FoldKernels, ValuesAtTheLimitAndSmallerAreInside) {
  const std::vector<float> values{2.5F, -2.5F, 0.0F, -0.0F, std::numeric_limits<float>::denorm_min(), -1.0F};
  EXPECT_EQ(first_outside({}, 2.5F), 0U);
  with_every_target([&] { EXPECT_EQ(first_outside(values, 2.5F), values.size()); });
}

}  // namespace
}  // namespace hansa::kernels
