// SHA-256 against FIPS 180-4's examples (NIST, "Cryptographic Standards and Guidelines: Example Values").
#include "common/digest.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace hansa {
namespace {

struct Example {
  std::string message;
  const char* hex;
};

class Sha256Example : public ::testing::TestWithParam<Example> {};

TEST_P(Sha256Example, IsReproduced) {
  EXPECT_EQ(sha256(std::string_view(GetParam().message)).hex(), GetParam().hex);
}

TEST_P(Sha256Example, IsTheSameInPieces) {
  const std::string& message = GetParam().message;
  for (const std::size_t piece : {1U, 63U, 64U, 65U, 1000U}) {
    Sha256 hash;
    for (std::size_t i = 0; i < message.size(); i += piece) {
      const std::string part = message.substr(i, piece);
      hash.update(std::as_bytes(std::span(part.data(), part.size())));
    }
    EXPECT_EQ(hash.finish().hex(), GetParam().hex) << "in pieces of " << piece;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Fips180, Sha256Example,
    ::testing::Values(Example{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                      Example{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                      Example{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
                      Example{std::string(1'000'000, 'a'),
                              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"}));

TEST(Sha256, CanBeUsedAgainAfterFinish) {
  Sha256 hash;
  const std::string text = "abc";
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  hash.update(bytes);
  const Digest first = hash.finish();
  hash.update(bytes);
  EXPECT_EQ(hash.finish(), first);
}

TEST(ParseDigest, ReadsWhatTextWrites) {
  const Digest digest = sha256(std::string_view("abc"));
  EXPECT_EQ(parse_digest(digest.text()).value(), digest);
  EXPECT_EQ(parse_digest(digest.hex()).value(), digest);
}

TEST(ParseDigest, RefusesAnythingElse) {
  const std::string hex = sha256(std::string_view("abc")).hex();
  for (const std::string& text : {std::string(), hex.substr(1), hex + "0", "sha512:" + hex,
                                  "g" + hex.substr(1), std::string("sha256:"), " " + hex.substr(1)})
    EXPECT_FALSE(parse_digest(text)) << text;
}

}  // namespace
}  // namespace hansa
