// Key agreement and derivation against published test vectors and an independent computation.
#include "protocols/secure_aggregation/keys.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "tests/secure_aggregation/hex.h"

namespace hansa::secure_aggregation {
namespace {

Secret32 secret_of(const std::string& hex) {
  Secret32 out;
  const auto bytes = testing::from_hex(hex);
  std::copy(bytes.begin(), bytes.end(), out.bytes().begin());
  return out;
}
PublicKey key_of(const std::string& hex) {
  PublicKey out{};
  const auto bytes = testing::from_hex(hex);
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

// RFC 7748, section 6.1.
TEST(KeyAgreement, PublishedVector) {
  const Secret32 alice = secret_of("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const Secret32 bob = secret_of("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  const auto alice_public = public_key_of(alice);
  const auto bob_public = public_key_of(bob);
  ASSERT_TRUE(alice_public && bob_public);
  EXPECT_EQ(testing::to_hex(*alice_public),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(testing::to_hex(*bob_public), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  const auto shared = agree(alice, *bob_public);
  ASSERT_TRUE(shared);
  EXPECT_EQ(testing::to_hex(shared->bytes()),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

TEST(KeyAgreement, BothSidesAgreeAndPublicKeysAreThoseOfTheSecrets) {
  const auto a = make_key_pair();
  const auto b = make_key_pair();
  ASSERT_TRUE(a && b);
  EXPECT_NE(a->public_key, b->public_key);
  EXPECT_EQ(*public_key_of(a->secret), a->public_key);
  const auto ab = agree(a->secret, b->public_key);
  const auto ba = agree(b->secret, a->public_key);
  ASSERT_TRUE(ab && ba);
  EXPECT_TRUE(*ab == *ba);
}

// All points of low order that a peer may send, including those beyond p.
TEST(KeyAgreement, PointsOfLowOrderAreRefused) {
  const auto own = make_key_pair();
  ASSERT_TRUE(own);
  for (const char* point : {
           "0000000000000000000000000000000000000000000000000000000000000000",
           "0100000000000000000000000000000000000000000000000000000000000000",
           "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
           "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
           "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
       }) {
    const auto shared = agree(own->secret, key_of(point));
    ASSERT_FALSE(shared) << point;
    EXPECT_EQ(shared.error().code, ErrorCode::protocol);
  }
}

// Computed with Python's hmac and hashlib from the description in keys.h.
TEST(KeyDerivation, GoldenValues) {
  Secret32 shared;
  Digest context;
  for (std::size_t i = 0; i < 32; ++i) {
    shared.bytes()[i] = static_cast<std::uint8_t>(i);
    context.bytes[i] = static_cast<std::uint8_t>(100 + i);
  }
  const auto derived = [&](KeyPurpose purpose) {
    return testing::to_hex(derive_key(shared, context, purpose, "client-01", "client-02").bytes());
  };
  EXPECT_EQ(derived(KeyPurpose::pairwise_mask),
            "de293fd89e3ddfd32dabb5ecbd5e8aef9d1db67decf41bceb2dd92d5c6370e19");
  EXPECT_EQ(derived(KeyPurpose::self_mask),
            "85977434612294146857af53f63956bddbf28418daf3bc033d9531108fbef5bd");
  EXPECT_EQ(derived(KeyPurpose::share_encryption),
            "cc75cd4cf890179e614b99ed33189f8c588cefb31e29d48a0f11577dcee09444");
}

TEST(KeyDerivation, EveryInputChangesTheKey) {
  Secret32 shared, other_shared;
  other_shared.bytes()[31] = 1;
  Digest context, other_context;
  other_context.bytes[0] = 1;
  const auto key = derive_key(shared, context, KeyPurpose::self_mask, "a", "b");
  EXPECT_FALSE(key == derive_key(other_shared, context, KeyPurpose::self_mask, "a", "b"));
  EXPECT_FALSE(key == derive_key(shared, other_context, KeyPurpose::self_mask, "a", "b"));
  EXPECT_FALSE(key == derive_key(shared, context, KeyPurpose::pairwise_mask, "a", "b"));
  EXPECT_FALSE(key == derive_key(shared, context, KeyPurpose::self_mask, "b", "a"));
  EXPECT_FALSE(derive_key(shared, context, KeyPurpose::self_mask, "ab", "c") ==
               derive_key(shared, context, KeyPurpose::self_mask, "a", "bc"))
      << "the two identities are separated";
}

}  // namespace
}  // namespace hansa::secure_aggregation
