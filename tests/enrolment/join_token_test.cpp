// Join tokens: what they carry survives the text, and every damage is noticed.
#include "protocols/enrolment/join_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base32.h"

namespace hansa::enrolment {
namespace {

using ::testing::HasSubstr;

JoinToken sample() {
  JoinToken out;
  out.federation = "pumps";
  out.address = "tcp://pumps.example:7471";
  out.aggregator = transport::generate_secret_key().value().public_key().value();
  out.root = secure_aggregation::SigningKey::generate().value().public_key();
  out.terms = {true, secure_aggregation::ThreatModel::active, 12};
  EXPECT_TRUE(fill_random(out));
  return out;
}

TEST(JoinToken, CarriesEverything) {
  const JoinToken token = sample();
  const auto text = text_of(token);
  ASSERT_TRUE(text) << text.error().text();
  const auto read = parse_join_token(*text);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->federation, token.federation);
  EXPECT_EQ(read->address, token.address);
  EXPECT_EQ(read->aggregator, token.aggregator);
  EXPECT_EQ(read->root, token.root);
  EXPECT_EQ(read->terms, token.terms);
  EXPECT_EQ(read->id, token.id);
  EXPECT_EQ(read->secret, token.secret);
}

TEST(JoinToken, IsOneWordOfCapitalsAndDigits) {
  const std::string text = text_of(sample()).value();
  EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), std::string::npos) << text;
  EXPECT_LT(text.size(), 300U);
}

TEST(JoinToken, MayBeWrittenInSmallLettersAndOnSeveralLines) {
  const JoinToken token = sample();
  std::string text = text_of(token).value();
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  text.insert(40, "\r\n  ");
  const auto read = parse_join_token(" " + text + "\n");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->secret, token.secret);
}

TEST(AdversaryJoinToken, EveryAlteredCharacterIsNoticed) {
  const std::string text = text_of(sample()).value();
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string altered = text;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(parse_join_token(altered)) << i;
  }
}

TEST(AdversaryJoinToken, EveryCutIsNoticed) {
  const std::string text = text_of(sample()).value();
  for (std::size_t i = 0; i < text.size(); ++i) EXPECT_FALSE(parse_join_token(text.substr(0, i))) << i;
  EXPECT_FALSE(parse_join_token(text + "A"));
}

TEST(JoinToken, AMistakeIsExplained) {
  EXPECT_THAT(parse_join_token("hello").error().text(), HasSubstr("HANSA1"));
  std::string text = text_of(sample()).value();
  text[20] = text[20] == 'A' ? 'B' : 'A';
  EXPECT_THAT(parse_join_token(text).error().text(), HasSubstr("checksum"));
  EXPECT_EQ(parse_join_token(std::string(100'000, 'A')).error().code, ErrorCode::usage);
}

TEST(JoinToken, AnImpossibleAddressMakesNoToken) {
  JoinToken token = sample();
  token.address = "pumps.example";
  EXPECT_FALSE(text_of(token));
  token = sample();
  token.federation = "a b";
  EXPECT_FALSE(text_of(token));
}

TEST(JoinToken, TheDigestDependsOnIdentifierAndSecret) {
  JoinToken token = sample();
  const Digest digest = digest_of(token.id, token.secret);
  EXPECT_TRUE(equal(digest, digest_of(token.id, token.secret)));
  token.id[0] ^= 1;
  EXPECT_FALSE(equal(digest, digest_of(token.id, token.secret)));
  token.id[0] ^= 1;
  token.secret.bytes()[15] ^= 1;
  EXPECT_FALSE(equal(digest, digest_of(token.id, token.secret)));
}

// RFC 4648, section 10.
TEST(Base32, IsThatOfTheRfc) {
  const auto encoded = [](std::string_view text) {
    return to_base32({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "MY");
  EXPECT_EQ(encoded("fo"), "MZXQ");
  EXPECT_EQ(encoded("foo"), "MZXW6");
  EXPECT_EQ(encoded("foob"), "MZXW6YQ");
  EXPECT_EQ(encoded("fooba"), "MZXW6YTB");
  EXPECT_EQ(encoded("foobar"), "MZXW6YTBOI");
  EXPECT_EQ(from_base32("mzxw6ytboi"), from_base32("MZXW6YTBOI"));
  EXPECT_FALSE(from_base32("MZ1"));
  EXPECT_FALSE(from_base32("M")) << "no byte has one character";
  EXPECT_FALSE(from_base32("MZ")) << "unused bits must be zero";
}

}  // namespace
}  // namespace hansa::enrolment
