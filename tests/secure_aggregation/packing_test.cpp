// Packed words: round trips for every width and many lengths, known bytes, hostile messages.
#include "protocols/secure_aggregation/packing.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "common/random.h"

namespace hansa::secure_aggregation {
namespace {

std::vector<std::uint32_t> words_of(Random& random, std::size_t count, unsigned bits) {
  std::vector<std::uint32_t> out(count);
  for (auto& word : out) word = static_cast<std::uint32_t>(random.below(std::uint64_t{1} << bits));
  return out;
}

TEST(Packing, RoundTripsForAllWidthsAndLengths) {
  Random random(1);
  for (unsigned bits = 1; bits <= 32; ++bits)
    for (std::size_t count : {0, 1, 2, 7, 8, 31, 32, 33, 63, 64, 65, 95, 96, 97, 1'000}) {
      const auto words = words_of(random, count, bits);
      // A vector of exactly this size, so that the sanitizers detect a read beyond its end.
      std::vector<std::byte> message(packed_bytes(count, bits));
      pack(words, bits, message);
      std::vector<std::uint32_t> sum(count, 3U), expected(count);
      for (std::size_t i = 0; i < count; ++i) expected[i] = words[i] + 3U;
      ASSERT_TRUE(unpack_add(message, bits, sum));
      EXPECT_EQ(sum, expected) << bits << ' ' << count;
    }
}

TEST(Packing, KnownBytes) {
  std::vector<std::byte> message(packed_bytes(3, 15));
  pack(std::vector<std::uint32_t>{0x7FFF, 0x0001, 0x4000}, 15, message);
  const std::vector<std::uint8_t> expected{0xFF, 0xFF, 0x00, 0x00, 0x00, 0x10};
  ASSERT_EQ(message.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(std::to_integer<unsigned>(message[i]), expected[i]) << i;
}

// The largest sum fits, and would not fit in one bit less.
TEST(Packing, RingsCannotOverflow) {
  for (const std::uint32_t clients : {1U, 2U, 3U, 10U, 100U, 128U, 129U, 1'000U, 65'536U})
    for (const std::uint32_t largest : {1U, 2U, 5U, 6U, 7U, 255U, 256U, 65'535U}) {
      const unsigned bits = ring_bits(clients, largest);
      const std::uint64_t sum = std::uint64_t{clients} * largest;
      EXPECT_LT(sum, std::uint64_t{1} << bits);
      EXPECT_GE(sum, std::uint64_t{1} << (bits - 1));
    }
  EXPECT_EQ(ring_bits(100, 255), 15U);
}

TEST(Packing, WrongLengthsAndStrayBitsAreRefusedAndChangeNothing) {
  std::vector<std::uint32_t> sum(9, 1U);
  const auto untouched = sum;
  for (const std::size_t size : {0, 16, 18, 100}) {
    const std::vector<std::byte> message(size);
    EXPECT_FALSE(unpack_add(message, 15, sum)) << size;
  }
  std::vector<std::byte> message(packed_bytes(9, 15));  // 135 bits: one is unused
  message.back() = std::byte{0x80};
  EXPECT_FALSE(unpack_add(message, 15, sum));
  EXPECT_EQ(sum, untouched);
  message.back() = std::byte{0x40};
  EXPECT_TRUE(unpack_add(message, 15, sum));
}

}  // namespace
}  // namespace hansa::secure_aggregation
