// Graph, identity, share encryption, roster and sums, each tested alone.
#include <algorithm>
#include <queue>

#include <gtest/gtest.h>

#include "tests/secure_aggregation/cohort.h"
#include "tests/secure_aggregation/hex.h"

namespace hansa::secure_aggregation {
namespace {

using testing::Cohort;

TEST(Graph, IsRegularSymmetricConnectedAndDeterminedByItsSeed) {
  for (const std::uint32_t clients : {5U, 51U, 100U, 301U}) {
    const auto parameters = choose_parameters(clients, Assumptions());
    ASSERT_TRUE(parameters);
    const Graph graph(*parameters, sha256(std::string_view("seed")));
    const Graph same(*parameters, sha256(std::string_view("seed")));
    const Graph other(*parameters, sha256(std::string_view("another")));
    std::size_t different = 0;
    std::vector<bool> reached(clients);
    std::queue<Position> next;
    next.push(0);
    reached[0] = true;
    for (Position i = 0; i < clients; ++i) {
      const auto& mine = graph.neighbours(i);
      EXPECT_EQ(mine.size(), parameters->neighbours);
      EXPECT_TRUE(std::ranges::is_sorted(mine));
      EXPECT_EQ(std::ranges::adjacent_find(mine), mine.end());
      EXPECT_FALSE(std::ranges::binary_search(mine, i));
      for (const Position j : mine) EXPECT_TRUE(std::ranges::binary_search(graph.neighbours(j), i));
      EXPECT_EQ(graph.holders(i).size(), parameters->neighbours + (parameters->complete() ? 1 : 0));
      EXPECT_EQ(mine, same.neighbours(i));
      different += mine != other.neighbours(i);
    }
    for (; !next.empty(); next.pop())
      for (const Position j : graph.neighbours(next.front()))
        if (!reached[j]) {
          reached[j] = true;
          next.push(j);
        }
    EXPECT_EQ(std::ranges::count(reached, true), clients);
    EXPECT_EQ(different > 0, !parameters->complete());
  }
}

// RFC 8032, section 7.1, test 2.
TEST(Identity, PublishedVector) {
  Secret32 seed;
  std::ranges::copy(testing::from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
                    seed.bytes().begin());
  const auto key = SigningKey::of(std::move(seed));
  ASSERT_TRUE(key);
  EXPECT_EQ(testing::to_hex(key->public_key()),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const auto signature = key->sign("\x72");
  ASSERT_TRUE(signature);
  EXPECT_EQ(testing::to_hex(*signature),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_TRUE(verify(key->public_key(), "\x72", *signature));
  EXPECT_FALSE(verify(key->public_key(), "\x73", *signature));
}

TEST(Identity, IsDerivedFromTheTransportSecret) {
  Secret32 secret, other;
  other.bytes()[0] = 1;
  EXPECT_EQ(SigningKey::derive(secret)->public_key(), SigningKey::derive(secret)->public_key());
  EXPECT_NE(SigningKey::derive(secret)->public_key(), SigningKey::derive(other)->public_key());
  EXPECT_NE(SigningKey::derive(secret)->public_key(), SigningKey::of(secret.copy())->public_key());
  // As docs/secure-aggregation.md says; reference.py computes it from the page alone.
  Secret32 counting;
  for (std::size_t i = 0; i < Secret32::size; ++i) counting.bytes()[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(to_hex(SigningKey::derive(counting)->public_key()),
            "3185edfb369b18be8ca8b1127dd666a84635930961eaddea8f20ecb4150a8330");
}

TEST(Certificate, IsForOneNameAndKeyInOneFederation) {
  const Cohort cohort(2);
  const Certificate& good = cohort.certificates[0];
  EXPECT_TRUE(check(good, "test", cohort.root.public_key()));
  EXPECT_FALSE(check(good, "tes", cohort.root.public_key()));
  EXPECT_FALSE(check(good, "test", cohort.keys[0]->public_key()));
  Certificate bad = good;
  bad.client = "client-0001";
  EXPECT_FALSE(check(bad, "test", cohort.root.public_key()));
  bad = good;
  bad.identity = cohort.keys[1]->public_key();
  EXPECT_FALSE(check(bad, "test", cohort.root.public_key()));
}

TEST(ShareBox, OpensOnlyWithItsKeyForItsDirection) {
  SharePair pair;
  pair.mask_key.bytes()[3] = 3;
  pair.self_seed.bytes()[4] = 4;
  Secret32 key, wrong;
  wrong.bytes()[0] = 1;
  const Direction direction{sha256(std::string_view("context")), "a", "b"};
  const auto sealed = seal(pair, key, direction);
  ASSERT_TRUE(sealed);
  const auto opened = open(*sealed, key, direction);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->mask_key == pair.mask_key);
  EXPECT_TRUE(opened->self_seed == pair.self_seed);
  EXPECT_FALSE(open(*sealed, wrong, direction));
  EXPECT_FALSE(open(*sealed, key, {direction.context, "b", "a"}));
  EXPECT_FALSE(open(*sealed, key, {sha256(std::string_view("other")), "a", "b"}));
  for (std::size_t i = 0; i < sealed->size(); ++i) {
    SealedShares changed = *sealed;
    changed[i] ^= 1;
    EXPECT_FALSE(open(changed, key, direction)) << i;
  }
}

TEST(Roster, IsReadBack) {
  const Cohort cohort(3);
  Roster roster;
  for (const Certificate& certificate : cohort.certificates) {
    Advert advert;
    advert.nonce.fill(static_cast<std::uint8_t>(roster.size() + 1));
    roster.push_back({certificate, advert});
  }
  const auto bytes = encode(roster);
  const auto back = decode_roster(bytes);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(encode(*back), bytes);
  EXPECT_EQ(back->at(2).advert.nonce[0], 3);
  for (std::size_t size = 1; size < bytes.size(); ++size)
    EXPECT_EQ(decode_roster(std::span(bytes).first(size)).has_value(), size % (bytes.size() / 3) == 0)
        << size;
  std::swap(roster[0], roster[1]);
  EXPECT_FALSE(decode_roster(encode(roster))) << "not in order";
  roster[0] = roster[1];
  EXPECT_FALSE(decode_roster(encode(roster))) << "a name twice";
}

TEST(Subset, KnowsItsLength) {
  EXPECT_TRUE(Subset::of(9, {0xff, 0x01}));
  EXPECT_EQ(Subset::of(9, {0xff, 0x01})->count(), 9U);
  EXPECT_FALSE(Subset::of(9, {0xff, 0x02})) << "a bit beyond";
  EXPECT_FALSE(Subset::of(9, {0xff}));
  EXPECT_FALSE(Subset::of(8, {0xff, 0x00}));
  EXPECT_TRUE(Subset::of(0, {}));
}

TEST(MaskedSum, IsReadOnlyIfComplete) {
  MaskedSum sum(sha256(std::string_view("context")), 5, 100, 11);
  std::vector<std::byte> packed(packed_bytes(100, 11), std::byte{0x5a});
  packed.back() = std::byte{0};
  ASSERT_TRUE(sum.add(4, packed));
  EXPECT_FALSE(sum.add(4, packed)) << "twice";
  EXPECT_FALSE(sum.add(5, packed)) << "from no client";
  const auto bytes = sum.encode();
  const auto back = MaskedSum::decode(bytes);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->encode(), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(MaskedSum::decode(std::span(bytes).first(size))) << size;
  MaskedSum other(sha256(std::string_view("another")), 5, 100, 11);
  EXPECT_FALSE(sum.add(other));
}

}  // namespace
}  // namespace hansa::secure_aggregation
