// Numbers of arrays: conversions, sizes, and growing memory.
#include <cmath>
#include <cstdint>
#include <limits>

#include <gmock/gmock.h>

#include "learning/data/kinds/arrays/array.h"
#include "learning/data/kinds/arrays/array_rules.h"
#include "learning/data/kinds/arrays/convert.h"
#include "learning/data/kinds/arrays/half.h"

namespace hansa::learning::kinds {
namespace {

using ::testing::ElementsAre;

TEST(ArrayValues, EachHalfIsTheNumberThatItsBitsSay) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float got = float_of_half(half);
    const int exponent = static_cast<int>(bits >> 10 & 0x1f);
    const auto fraction = static_cast<float>(bits & 0x3ff);
    if (exponent == 31 && fraction != 0) {
      EXPECT_TRUE(std::isnan(got)) << bits;
      continue;
    }
    float wanted = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    if (exponent == 31) wanted = std::numeric_limits<float>::infinity();
    if ((bits & 0x8000) != 0) wanted = -wanted;
    ASSERT_EQ(got, wanted) << bits;
    ASSERT_EQ(std::signbit(got), (bits & 0x8000) != 0) << bits;
  }
}

TEST(ArrayValues, SizesDoNotOverflow) {
  const std::vector<std::uint64_t> large{1ULL << 40, 1ULL << 40};
  const std::vector<std::uint64_t> wraps{1ULL << 32, 1ULL << 32};
  const std::vector<std::uint64_t> empty{~0ULL, 0, ~0ULL};
  const std::vector<std::uint64_t> usual{10, 3, 4};
  EXPECT_EQ(array_bytes(NumberType::int8, large), std::nullopt);
  EXPECT_EQ(array_bytes(NumberType::int8, wraps), std::nullopt);
  EXPECT_EQ(array_bytes(NumberType::float64, empty), 0U);
  EXPECT_EQ(array_bytes(NumberType::float64, usual), 960U);
  EXPECT_EQ(array_bytes(NumberType::uint8, {}), 1U);
}

TEST(ArrayValues, ValuesNeedNotBeAligned) {
  // Two numbers, big-endian, after a byte of something else.
  const std::vector<std::byte> bytes{std::byte{9}, std::byte{0x01}, std::byte{0x02}, std::byte{0xff},
                                     std::byte{0xfe}};
  const Array array{{"x", NumberType::int16, {2}}, std::endian::big, std::span(bytes).subspan(1), nullptr};
  const std::vector<std::uint32_t> indices{1, 0};
  std::vector<float> out(2);
  convert_examples(array, indices, ElementType::float32, std::as_writable_bytes(std::span(out)));
  EXPECT_THAT(out, ElementsAre(-2, 258));
}

TEST(ArrayValues, MemoryGrowsAsItIsFilled) {
  constexpr std::uint64_t claimed = 1ULL << 40;
  std::vector<std::byte> values;
  EXPECT_LE(grow(values, claimed).size(), 16U << 20);
  std::vector<std::byte> small;
  EXPECT_EQ(grow(small, 10).size(), 10U);
  EXPECT_EQ(small.size(), 10U);
}

TEST(ArrayValues, NamesOfTargetsBeginWithY) {
  EXPECT_TRUE(is_target_name("y"));
  EXPECT_TRUE(is_target_name("y_box"));
  EXPECT_FALSE(is_target_name("year"));
  EXPECT_FALSE(is_argument_name(""));
  EXPECT_FALSE(is_argument_name("a\nb"));
  EXPECT_FALSE(is_argument_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace hansa::learning::kinds
