// Mask streams: against published cipher blocks, in parts, in pairs, and uniform.
#include "protocols/secure_aggregation/mask.h"

#include <cmath>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace hansa::secure_aggregation {
namespace {

MaskStream stream_of(std::uint8_t seed, unsigned bits) {
  Secret32 key;
  key.bytes()[0] = seed;
  auto stream = MaskStream::create(key, bits);
  EXPECT_TRUE(stream);
  return std::move(*stream);
}
std::vector<std::uint32_t> mask_of(std::uint8_t seed, unsigned bits, std::size_t count) {
  std::vector<std::uint32_t> out(count);
  EXPECT_TRUE(stream_of(seed, bits).apply(out, 0, MaskSign::add));
  return out;
}

// AES-256 with a key of zeros, for the counters 0, 1 and 2. Blocks 1 and 2 are those of test cases 13 and 14 of the GCM
// specification (McGrew, Viega, 2005).
TEST(Mask, IsThePublishedKeyStream) {
  const auto words = mask_of(0, 32, 12);
  const std::vector<std::uint32_t> published{0xfb8a0f53, 0xb93645c7, 0xf1b463a9, 0x8b73cbc4,
                                             0x3d40a7ce, 0x6e6b604d, 0xd3c54e07, 0x189df3ba};
  EXPECT_EQ(std::vector<std::uint32_t>(words.begin() + 4, words.end()), published);
  const auto halves = mask_of(0, 16, 24);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(halves[2 * i] | halves[2 * i + 1] << 16, words[i]) << i;
}

TEST(Mask, PartsEqualThoseOfTheWholeStream) {
  for (const unsigned bits : {15U, 24U}) {
    const auto whole = mask_of(3, bits, 40'000);
    std::vector<std::uint32_t> parts(40'000);
    auto stream = stream_of(3, bits);
    for (const auto& [begin, end] : {std::pair{20'000, 40'000}, {0, 16}, {16, 8'208}, {8'208, 20'000}})
      ASSERT_TRUE(stream.apply(std::span(parts).subspan(begin, end - begin), begin, MaskSign::add));
    EXPECT_EQ(parts, whole) << bits;
  }
}

TEST(Mask, AddingAndSubtractingCancels) {
  for (const unsigned bits : {1U, 15U, 16U, 17U, 31U, 32U}) {
    std::vector<std::uint32_t> values(5'001);
    std::iota(values.begin(), values.end(), 7U);
    reduce(values, bits);
    auto masked = values;
    auto one = stream_of(1, bits), other = stream_of(2, bits);
    ASSERT_TRUE(one.apply(masked, 0, MaskSign::add));
    ASSERT_TRUE(other.apply(masked, 0, MaskSign::subtract));
    reduce(masked, bits);
    EXPECT_NE(masked, values) << bits;
    ASSERT_TRUE(other.apply(masked, 0, MaskSign::add));
    ASSERT_TRUE(one.apply(masked, 0, MaskSign::subtract));
    reduce(masked, bits);
    EXPECT_EQ(masked, values) << bits;
  }
}

// Chi-square test over 256 cells of the highest and of the lowest eight bits: 255 degrees of freedom. The bound is
// exceeded by chance once in 10^9 runs.
TEST(Mask, AMaskedVectorIsUniform) {
  for (const unsigned bits : {8U, 15U, 20U, 32U}) {
    std::vector<std::uint32_t> values(1 << 20, 5U);
    ASSERT_TRUE(stream_of(9, bits).apply(values, 0, MaskSign::add));
    reduce(values, bits);
    for (const unsigned shift : {0U, bits - 8U}) {
      std::vector<double> cells(256);
      for (const std::uint32_t value : values) cells[value >> shift & 255U] += 1;
      const double expected = static_cast<double>(values.size()) / 256;
      double chi = 0;
      for (const double count : cells) chi += (count - expected) * (count - expected) / expected;
      EXPECT_LT(chi, 255 + 6 * std::sqrt(2 * 255.0)) << bits << ' ' << shift;
      EXPECT_GT(chi, 255 - 6 * std::sqrt(2 * 255.0)) << bits << ' ' << shift;
    }
  }
}

}  // namespace
}  // namespace hansa::secure_aggregation
