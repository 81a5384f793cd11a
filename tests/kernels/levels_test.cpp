#include "common/kernels/levels.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "common/random.h"
#include "tests/kernels/every_target.h"

namespace hansa::kernels {
namespace {

constexpr std::size_t lengths[] = {0, 1, 7, 8, 15, 16, 63, 64, 100, 512, 1024, 1030, 4096, 5001};

TEST(LevelKernels, QuantisingAndBackEqualTheScalarReferences) {
  with_every_target([] {
    for (unsigned bits = 1; bits <= 8; ++bits) {
      for (const std::size_t count : lengths) {
        const auto values = random_values(count, count + bits);
        std::vector<std::uint8_t> codes(count), expected(count);
        for (const float inverse : {0.0F, 0.4F, 17.0F, 1e20F}) {
          const float along = quantise_nearest(values, inverse, bits, codes);
          ASSERT_EQ(along, quantise_nearest_reference(values, inverse, bits, expected));
          ASSERT_EQ(codes, expected) << bits << " bits, " << count << ", " << inverse;
          quantise_random(values, inverse, bits, 0x123456789abcdefULL * count, codes);
          quantise_random_reference(values, inverse, bits, 0x123456789abcdefULL * count, expected);
          ASSERT_EQ(codes, expected) << bits << " bits, " << count << ", " << inverse;
        }
        std::vector<float> out(count), expected_out(count);
        levels_to_values(codes, bits, 0.37F, out);
        levels_to_values_reference(codes, bits, 0.37F, expected_out);
        ASSERT_EQ(out, expected_out);
        ASSERT_EQ(sum_of_squared_levels(codes, bits), sum_of_squared_levels_reference(codes, bits));
        ASSERT_EQ(largest_magnitude(values), largest_magnitude_reference(values));
      }
    }
  });
}

TEST(LevelKernels, TheSumOfTheLargestSquaresIsExact) {
  with_every_target([] {
    const std::vector<std::uint8_t> codes(1 << 16, 255);
    ASSERT_EQ(sum_of_squared_levels(codes, 8), 65'536ULL * 255 * 255);
    ASSERT_EQ(sum_of_squared_levels_reference(codes, 8), 65'536ULL * 255 * 255);
  });
}

TEST(LevelKernels, PackingAndBackEqualTheScalarReferences) {
  with_every_target([] {
    for (unsigned bits = 1; bits <= 8; ++bits) {
      for (const std::size_t count : lengths) {
        Random random(count * 8 + bits);
        std::vector<std::uint8_t> codes(count);
        for (auto& code : codes) code = static_cast<std::uint8_t>(random.below(1U << bits));
        std::vector<std::uint8_t> packed(packed_code_bytes(count, bits)), expected(packed.size());
        pack_codes(codes, bits, packed);
        pack_codes_reference(codes, bits, expected);
        ASSERT_EQ(packed, expected) << bits << " bits, " << count;
        std::vector<std::uint8_t> back(count), back_reference(count);
        unpack_codes(packed, bits, back);
        unpack_codes_reference(packed, bits, back_reference);
        ASSERT_EQ(back, codes) << bits << " bits, " << count;
        ASSERT_EQ(back_reference, codes);
      }
    }
  });
}

TEST(LevelKernels, PackedBitsHaveTheDocumentedPositions) {
  std::vector<std::uint8_t> packed(2);
  pack_codes(std::vector<std::uint8_t>{1, 2, 3, 4}, 4, packed);
  EXPECT_EQ(packed, (std::vector<std::uint8_t>{0x21, 0x43}));
  pack_codes(std::vector<std::uint8_t>{1, 0, 0, 1, 1, 0, 0, 0, 1}, 1, packed);
  EXPECT_EQ(packed, (std::vector<std::uint8_t>{0x19, 0x01}));
  pack_codes(std::vector<std::uint8_t>{5, 6, 7}, 3, packed);
  EXPECT_EQ(packed, (std::vector<std::uint8_t>{0xF5, 0x01}));
}

TEST(LevelKernels, RandomRoundingIsUnbiasedOverSeeds) {
  // Between -1 and 1 in 2 bits: the levels are -3, -1, 1, 3 thirds.
  const std::vector<float> values{-1.0F, -0.9F, -0.35F, 0.0F, 0.1F, 0.5F, 1.0F};
  std::vector<double> sums(values.size());
  std::vector<std::uint8_t> codes(values.size());
  constexpr int seeds = 20'000;
  Random random(4);
  for (int i = 0; i < seeds; ++i) {
    quantise_random(values, 1.5F, 2, random.next(), codes);
    for (std::size_t j = 0; j < values.size(); ++j) sums[j] += (2 * codes[j] - 3) / 3.0;
  }
  // The standard deviation of one draw is at most a third: allow 5 standard deviations of the mean.
  for (std::size_t j = 0; j < values.size(); ++j)
    EXPECT_NEAR(sums[j] / seeds, values[j], 5 * (1.0 / 3) / std::sqrt(seeds));
}

TEST(LevelKernels, InfinitiesAndNansAreNotTreatedAsMagnitudes) {
  std::vector<float> values(100, 1.0F);
  EXPECT_EQ(largest_magnitude(values), 1.0F);
  values[99] = -3.0F;
  EXPECT_EQ(largest_magnitude(values), 3.0F);
  for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()}) {
    values[50] = bad;
    EXPECT_EQ(largest_magnitude(values), std::numeric_limits<float>::infinity());
  }
}

}  // namespace
}  // namespace hansa::kernels
