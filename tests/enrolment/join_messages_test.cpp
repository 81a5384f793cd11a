// The join messages: round trips, golden frames and hostile ones.
#include "protocols/enrolment/join_messages.h"

#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "common/hex.h"
#include "common/random.h"

namespace hansa::enrolment {
namespace {

JoinRequest fixed_request() {
  JoinRequest out;
  for (std::size_t i = 0; i < out.id.size(); ++i) out.id[i] = static_cast<std::uint8_t>(i);
  for (std::size_t i = 0; i < TokenSecret::size; ++i)
    out.secret.bytes()[i] = static_cast<std::uint8_t>(0x10 + i);
  for (std::size_t i = 0; i < out.identity.size(); ++i) out.identity[i] = static_cast<std::uint8_t>(0x20 + i);
  for (std::size_t i = 0; i < out.proof.size(); ++i) out.proof[i] = static_cast<std::uint8_t>(0x40 + i);
  return out;
}

JoinAnswer fixed_answer() {
  JoinAnswer out;
  out.status = JoinStatus::enrolled;
  out.name = "LINE-7";
  out.validity = {2, {1'796'000'000}, {1'830'560'000}};
  for (std::size_t i = 0; i < out.signature.size(); ++i)
    out.signature[i] = static_cast<std::uint8_t>(0x80 + i);
  out.addresses = {"tcp://pumps.example:7470", "tcp://192.0.2.7:7470"};
  return out;
}
JoinAnswer pending_answer() {
  JoinAnswer out;
  out.status = JoinStatus::pending;
  out.retry_after_s = 5;
  out.text = "LINE-7";
  return out;
}

std::string hex(const std::vector<std::byte>& frame) {
  return to_hex({reinterpret_cast<const std::uint8_t*>(frame.data()), frame.size()});
}

TEST(JoinMessages, AreTheGoldenFrames) {
  std::map<std::string, std::string> golden;
  std::ifstream file(HANSA_GOLDEN);
  for (std::string line; std::getline(file, line);)
    if (const auto at = line.find(" = "); !line.starts_with('#') && at != std::string::npos)
      golden[line.substr(0, at)] = line.substr(at + 3);
  ASSERT_EQ(golden.size(), 3U);
  EXPECT_EQ(golden["request"], hex(encode(fixed_request())));
  EXPECT_EQ(golden["pending"], hex(encode(pending_answer())));
  EXPECT_EQ(golden["enrolled"], hex(encode(fixed_answer())));
}

TEST(JoinMessages, CarryEverything) {
  EXPECT_EQ(encode(fixed_request()).size(), join_request_bytes);
  const auto answer = decode_join_answer(encode(fixed_answer()));
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->name, "LINE-7");
  EXPECT_EQ(answer->validity, fixed_answer().validity);
  EXPECT_EQ(answer->addresses, fixed_answer().addresses);
  const auto request = decode_join_request(encode(fixed_request()));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->secret, fixed_request().secret);
}

TEST(AdversaryJoinMessages, CutAndLengthenedFramesAreErrors) {
  const auto request = encode(fixed_request());
  for (std::size_t i = 0; i < request.size(); ++i)
    EXPECT_FALSE(decode_join_request(std::span(request).first(i)));
  auto longer = request;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decode_join_request(longer));
  const auto answer = encode(fixed_answer());
  for (std::size_t i = 0; i < answer.size(); ++i)
    EXPECT_FALSE(decode_join_answer(std::span(answer).first(i)));
}

TEST(AdversaryJoinMessages, WhatDecodesEncodesToTheSameBytes) {
  Random random(7);
  for (int i = 0; i < 200'000; ++i) {
    auto frame = random.chance(0.5) ? encode(fixed_answer()) : encode(pending_answer());
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n)
      frame[random.below(frame.size())] = static_cast<std::byte>(random.next());
    if (random.chance(0.2)) frame.resize(random.below(frame.size() + 1));
    if (const auto answer = decode_join_answer(frame)) {
      EXPECT_EQ(encode(*answer), frame);
    }
    if (const auto request = decode_join_request(frame)) {
      EXPECT_EQ(encode(*request), frame);
    }
  }
}

// The name and the addresses are written to client.toml.
TEST(AdversaryJoinMessages, ANameOrAnAddressThatBreaksTheConfigurationIsAnError) {
  JoinAnswer answer = fixed_answer();
  answer.name = "a\"\nb";
  EXPECT_FALSE(decode_join_answer(encode(answer)));
  answer = fixed_answer();
  answer.addresses[1] = "tcp://a\":1";
  EXPECT_FALSE(decode_join_answer(encode(answer)));
  answer = fixed_answer();
  answer.addresses.clear();
  EXPECT_FALSE(decode_join_answer(encode(answer)));
}

TEST(JoinMessages, AnotherVersionIsNamed) {
  auto frame = encode(fixed_request());
  frame[2] = std::byte{2};
  ASSERT_FALSE(decode_join_request(frame));
  EXPECT_EQ(decode_join_request(frame).error().code, ErrorCode::refused);
}

class Proof : public ::testing::Test {
 protected:
  void SetUp() override {
    token.aggregator = aggregator;
    ASSERT_TRUE(fill_random(token));
  }
  transport::SecretKey key = transport::generate_secret_key().value();
  transport::PublicKey own = key.public_key().value();
  transport::PublicKey aggregator = transport::generate_secret_key().value().public_key().value();
  JoinToken token;
};

TEST_F(Proof, HoldsForThisDeviceThisAggregatorAndThisTokenAlone) {
  const auto request = make_join_request(token, key);
  ASSERT_TRUE(request);
  EXPECT_TRUE(has_valid_proof(*request, aggregator, own));
  const auto other = transport::generate_secret_key().value().public_key().value();
  EXPECT_FALSE(has_valid_proof(*request, aggregator, other));
  EXPECT_FALSE(has_valid_proof(*request, other, own));
  auto replayed = make_join_request(token, key).value();
  replayed.id[0] ^= 1;
  EXPECT_FALSE(has_valid_proof(replayed, aggregator, own));
}

}  // namespace
}  // namespace hansa::enrolment
