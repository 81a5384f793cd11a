#include "common/checksum.h"

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "common/random.h"

namespace hansa {
namespace {

// Test vectors of xxHash's own sanity check and of the program xxh128sum.
TEST(Checksum, IsXxh3OfTheCanonicalOrder) {
  EXPECT_EQ(checksum(std::span<const std::byte>()).text(), "xxh3:99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(checksum("abc").text(), "xxh3:06b05ab6733a618578af5f94892f3950");
}

TEST(Checksum, PiecesGiveTheChecksumOfTheWhole) {
  Random random(1);
  std::vector<std::byte> data(300'000);
  for (auto& byte : data) byte = static_cast<std::byte>(random.next());
  for (int i = 0; i < 20; ++i) {
    RunningChecksum running;
    std::size_t at = 0;
    while (at < data.size()) {
      const std::size_t size = std::min<std::size_t>(data.size() - at, 1 + random.below(70'000));
      running.update(std::span(data).subspan(at, size));
      at += size;
      ASSERT_EQ(running.value(), checksum(std::span<const std::byte>(data).first(at)));
    }
  }
}

TEST(Checksum, AnyFlippedBitChangesIt) {
  std::vector<std::byte> data(1'000, std::byte{5});
  const Checksum whole = checksum(std::span<const std::byte>(data));
  for (std::size_t bit = 0; bit < 8 * data.size(); bit += 7) {
    auto changed = data;
    changed[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_NE(checksum(std::span<const std::byte>(changed)), whole);
  }
}

}  // namespace
}  // namespace hansa
