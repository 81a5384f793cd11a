#include "protocols/codecs/internal/half.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "common/random.h"

namespace hansa::codecs::internal {
namespace {

double value_of_f16(std::uint16_t half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  const double size = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return half >> 15 != 0 ? -size : size;
}

TEST(Half, EveryFiniteFloat16HasItsDefinedValueAndIsWrittenBack) {
  for (std::uint32_t half = 0; half < 65'536; ++half) {
    if ((half >> 10 & 31) == 31) continue;
    const auto bits = static_cast<std::uint16_t>(half);
    ASSERT_EQ(from_f16(bits), value_of_f16(bits)) << half;
    ASSERT_EQ(to_f16(from_f16(bits)), bits) << half;
  }
}

TEST(Half, InfinitiesAndNansAreKept) {
  EXPECT_TRUE(std::isinf(from_f16(0x7C00)));
  EXPECT_TRUE(std::isnan(from_f16(0x7E01)));
  EXPECT_TRUE(std::isnan(from_bf16(0x7FC0)));
}

TEST(Half, FloatsBetweenTwoFloat16AreRoundedToTheNearestTiesToEven) {
  Random random(1);
  for (int i = 0; i < 200'000; ++i) {
    const auto lower = static_cast<std::uint16_t>(random.below(0x7BFF));
    const double below = value_of_f16(lower), above = value_of_f16(static_cast<std::uint16_t>(lower + 1));
    const auto value = static_cast<float>(below + (above - below) * random.uniform());
    const double middle = (below + above) / 2;
    const std::uint16_t nearest = value < middle   ? lower
                                  : value > middle ? static_cast<std::uint16_t>(lower + 1)
                                                   : static_cast<std::uint16_t>(lower + (lower & 1));
    ASSERT_EQ(to_f16(value), nearest) << value;
    ASSERT_EQ(to_f16(static_cast<float>(middle)), lower + (lower & 1)) << middle;
    ASSERT_EQ(to_f16(-value), nearest | 0x8000) << value;
  }
  EXPECT_EQ(to_f16(1e30F), 0x7BFF);
  EXPECT_EQ(to_f16(-1e30F), 0xFBFF);
}

TEST(Half, BFloat16IsTheNearestAndNeverInfinite) {
  Random random(2);
  for (int i = 0; i < 100'000; ++i) {
    const auto value =
        static_cast<float>(std::ldexp(random.normal(), static_cast<int>(random.below(60)) - 30));
    const float back = from_bf16(to_bf16(value));
    ASSERT_LE(std::fabs(back - value), std::fabs(value) * std::ldexp(1, -8)) << value;
    ASSERT_EQ(to_bf16(back), to_bf16(value));
  }
  EXPECT_EQ(to_bf16(std::numeric_limits<float>::max()), 0x7F7F);
  EXPECT_EQ(to_bf16(-std::numeric_limits<float>::max()), 0xFF7F);
}

}  // namespace
}  // namespace hansa::codecs::internal
