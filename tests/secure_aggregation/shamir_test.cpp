// Secret sharing: the laws of the field, every set of holders, too few holders, hostile indices.
#include "protocols/secure_aggregation/shamir.h"

#include <algorithm>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "common/random.h"

namespace hansa::secure_aggregation {
namespace {

Secret32 secret_of(Random& random) {
  Secret32 out;
  for (auto& byte : out.bytes()) byte = static_cast<std::uint8_t>(random.below(256));
  return out;
}

Secret32 rebuild(const std::vector<Secret32>& shares, const std::vector<ShareIndex>& holders) {
  const auto interpolation = Interpolation::create(holders);
  EXPECT_TRUE(interpolation);
  std::vector<const Secret32*> chosen;
  for (const ShareIndex holder : holders) chosen.push_back(&shares[holder - 1U]);
  return interpolation->rebuild(chosen);
}

TEST(Field, HasItsLaws) {
  Random random(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto a = static_cast<std::uint16_t>(random.below(65'536));
    const auto b = static_cast<std::uint16_t>(random.below(65'536));
    const auto c = static_cast<std::uint16_t>(random.below(65'536));
    EXPECT_EQ(field_multiply(a, b), field_multiply(b, a));
    EXPECT_EQ(field_multiply(a, field_multiply(b, c)), field_multiply(field_multiply(a, b), c));
    EXPECT_EQ(field_multiply(a, static_cast<std::uint16_t>(b ^ c)),
              field_multiply(a, b) ^ field_multiply(a, c));
    EXPECT_EQ(field_multiply(a, 1), a);
  }
  EXPECT_EQ(field_multiply(0x8000, 2), 0x100B) << "x^15 x = x^12 + x^3 + x + 1";
  EXPECT_EQ(field_invert(0), 0);
}

// Every element except 0 has an inverse only if the polynomial is irreducible. The powers of x are all these elements,
// because the polynomial is primitive.
TEST(Field, EveryElementHasAnInverseAndIsAPowerOfX) {
  for (std::uint32_t a = 1; a < 65'536; ++a)
    ASSERT_EQ(field_multiply(static_cast<std::uint16_t>(a), field_invert(static_cast<std::uint16_t>(a))), 1)
        << a;
  std::uint16_t power = 2;
  std::uint32_t order = 1;
  for (; power != 1; ++order) power = field_multiply(power, 2);
  EXPECT_EQ(order, 65'535U);
}

TEST(Shamir, EverySetOfThresholdHoldersReconstructsTheSecret) {
  Random random(2);
  for (std::uint32_t holders = 1; holders <= 7; ++holders)
    for (std::uint32_t threshold = 1; threshold <= holders; ++threshold) {
      const Secret32 secret = secret_of(random);
      const auto shares = split_secret(secret, threshold, holders);
      ASSERT_TRUE(shares);
      for (std::uint32_t set = 0; set < 1U << holders; ++set) {
        std::vector<ShareIndex> chosen;
        for (std::uint32_t i = 0; i < holders; ++i)
          if ((set >> i & 1U) != 0) chosen.push_back(static_cast<ShareIndex>(i + 1));
        if (chosen.size() != threshold) continue;
        random.shuffle(std::span(chosen));
        EXPECT_TRUE(rebuild(*shares, chosen) == secret) << holders << ' ' << threshold << ' ' << set;
      }
    }
}

TEST(Shamir, ManyHolders) {
  Random random(3);
  const Secret32 secret = secret_of(random);
  const auto shares = split_secret(secret, 206, 302);  // the largest row of the parameter table
  ASSERT_TRUE(shares);
  std::vector<ShareIndex> holders(302);
  std::iota(holders.begin(), holders.end(), ShareIndex{1});
  random.shuffle(std::span(holders));
  holders.resize(206);
  EXPECT_TRUE(rebuild(*shares, holders) == secret);
  holders.resize(205);
  EXPECT_FALSE(rebuild(*shares, holders) == secret);
}

// Any threshold - 1 shares are consistent with every secret: for another secret there are coefficients that give the
// same shares.
TEST(Shamir, FewerSharesAreConsistentWithEverySecret) {
  Random random(4);
  const Secret32 secret = secret_of(random), other = secret_of(random);
  const auto shares = split_secret(secret, 2, 3);
  ASSERT_TRUE(shares);
  // The line through (0, other) and holder 3's share has the slope (share - other) / 3.
  Secret32 slope;
  for (std::size_t i = 0; i < 32; i += 2) {
    const auto element = [&](const Secret32& s) {
      return static_cast<std::uint16_t>(s.bytes()[i] | (s.bytes()[i + 1] << 8));
    };
    const std::uint16_t value =
        field_multiply(static_cast<std::uint16_t>(element((*shares)[2]) ^ element(other)), field_invert(3));
    slope.bytes()[i] = static_cast<std::uint8_t>(value);
    slope.bytes()[i + 1] = static_cast<std::uint8_t>(value >> 8);
  }
  EXPECT_TRUE(split_with(other, {&slope, 1}, 3)[2] == (*shares)[2]);
}

TEST(Shamir, SharesOfOneSecretDifferEachTime) {
  Random random(5);
  const Secret32 secret = secret_of(random);
  EXPECT_FALSE((*split_secret(secret, 2, 2))[0] == (*split_secret(secret, 2, 2))[0]);
}

// Computed by hand from the definition: f(x) = s + c x with s = 1, c = x^15 in the first element.
TEST(Shamir, KnownShares) {
  Secret32 secret, coefficient;
  secret.bytes()[0] = 0x01;
  coefficient.bytes()[1] = 0x80;
  const auto shares = split_with(secret, {&coefficient, 1}, 3);
  EXPECT_EQ(shares[0].bytes()[0], 0x01);
  EXPECT_EQ(shares[0].bytes()[1], 0x80);
  EXPECT_EQ(shares[1].bytes()[0], 0x0A);  // 0x100B + 1
  EXPECT_EQ(shares[1].bytes()[1], 0x10);
  EXPECT_EQ(shares[2].bytes()[0], 0x0A);  // 0x100B + 0x8000 + 1
  EXPECT_EQ(shares[2].bytes()[1], 0x90);
  EXPECT_EQ(shares[2].bytes()[2], 0x00);
}

TEST(Shamir, WrongNumbersAndHostileIndicesAreRefused) {
  const Secret32 secret;
  EXPECT_FALSE(split_secret(secret, 0, 3));
  EXPECT_FALSE(split_secret(secret, 4, 3));
  EXPECT_FALSE(split_secret(secret, 2, 65'536));
  EXPECT_FALSE(Interpolation::create({}));
  EXPECT_FALSE(Interpolation::create(std::vector<ShareIndex>{1, 0}));
  EXPECT_FALSE(Interpolation::create(std::vector<ShareIndex>{2, 5, 2}));
}

}  // namespace
}  // namespace hansa::secure_aggregation
