// Which keys of the aggregator and of the root a device believes.
#include "client/keys/accepted_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/files.h"
#include "tests/temporary_folder.h"

namespace hansa::client {
namespace {

using enrolment::KeyStatements;
using secure_aggregation::SigningKey;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr UtcSeconds issued{1'796'000'000}, from{1'797'000'000}, until{1'798'000'000};
constexpr UtcSeconds before{from.value - 1}, soon{from.value + 60}, later{from.value + 2 * 24 * 3'600};

class AcceptedKeysTest : public ::testing::Test {
 protected:
  void SetUp() override {
    config.federation = "pumps";
    config.state = folder / "state";
    config.aggregator_key = present;
    config.model.root = root.public_key();
  }
  static transport::PublicKey new_key() {
    return transport::generate_secret_key().value().public_key().value();
  }
  [[nodiscard]] KeyStatements about(const transport::PublicKey& key, UtcSeconds at = issued) const {
    return {"pumps", {}, enrolment::state_aggregator(root, "pumps", {key, at, from, {}}).value()};
  }
  // Each call opens the state again, as the programs do.
  [[nodiscard]] AcceptedKeys keys() const { return AcceptedKeys::open(config).value(); }
  void accept(const KeyStatements& statements, Acceptance expected = Acceptance::accepted) {
    const auto done = keys().accept(statements, before);
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_EQ(*done, expected);
  }

  TemporaryFolder folder;
  SigningKey root = SigningKey::generate().value();
  transport::PublicKey present = new_key(), next = new_key();
  ClientConfig config;
};

TEST_F(AcceptedKeysTest, WithoutStatementsTheConfigurationHolds) {
  EXPECT_THAT(keys().aggregator_keys(later), ElementsAre(present));
  EXPECT_EQ(keys().roots(later)->newest, root.public_key());
  EXPECT_FALSE(std::filesystem::exists(config.state)) << "looking changes nothing";
}

TEST_F(AcceptedKeysTest, BothKeysAreTriedAroundTheChangeThePresentOneFirstBeforeIt) {
  accept(about(next));
  EXPECT_THAT(keys().aggregator_keys(before), ElementsAre(present, next));
  EXPECT_THAT(keys().aggregator_keys(soon), ElementsAre(next, present));
  accept(about(next), Acceptance::nothing_new);
}

TEST_F(AcceptedKeysTest, ADeviceWhoseClockIsNotSetFindsTheAggregatorToo) {
  accept(about(next));
  EXPECT_THAT(keys().aggregator_keys({}), ElementsAre(present, next));
}

TEST_F(AcceptedKeysTest, ASecondChangeFollowsTheFirst) {
  accept(about(next));
  ASSERT_TRUE(keys().connected(next));
  const auto third = new_key();
  accept(about(third, {issued.value + 10}));
  EXPECT_THAT(keys().aggregator_keys(before), ElementsAre(next, third));
}

TEST_F(AcceptedKeysTest, AKeyThatTheOwnerWritesIntoTheConfigurationIsBelieved) {
  accept(about(next));
  ASSERT_TRUE(keys().connected(next));
  config.aggregator_key = new_key();
  EXPECT_THAT(keys().aggregator_keys(before), ElementsAre(config.aggregator_key, next));
}

TEST_F(AcceptedKeysTest, TheRootKeyFollowsAndTheFormerOneEnds) {
  const auto next_root = SigningKey::generate().value();
  accept({"pumps", {enrolment::state_root(root, next_root, "pumps", issued, until).value()}, {}});
  EXPECT_EQ(keys().roots(before)->newest, next_root.public_key());
  EXPECT_EQ(keys().roots(before)->former, root.public_key());
  EXPECT_FALSE(keys().roots(until)->former);
}

using AdversaryAcceptedKeys = AcceptedKeysTest;
TEST_F(AdversaryAcceptedKeys, AStolenFormerKeyIsUselessAfterTheChange) {
  accept(about(next));
  EXPECT_THAT(keys().aggregator_keys(later), ElementsAre(next)) << "by the clock";
  ASSERT_TRUE(keys().connected(next));
  EXPECT_THAT(keys().aggregator_keys({}), ElementsAre(next)) << "by the connection, whatever the clock shows";
}

TEST_F(AdversaryAcceptedKeys, WhatTheRootDidNotSignForThisFederationChangesNothing) {
  const auto thief = SigningKey::generate().value();
  const KeyStatements by_thief{
      "pumps", {}, enrolment::state_aggregator(thief, "pumps", {next, issued, from, {}}).value()};
  KeyStatements other = about(next);
  other.federation = "other";
  KeyStatements altered = about(next);
  altered.aggregator->key = new_key();
  for (const KeyStatements& statements : {by_thief, other, altered}) {
    EXPECT_EQ(keys().accept(statements, before).error().code, ErrorCode::refused);
    EXPECT_THAT(keys().aggregator_keys(soon), ElementsAre(present));
  }
}

TEST_F(AdversaryAcceptedKeys, AnOlderStatementIsRefused) {
  const auto third = new_key();
  accept(about(third, {issued.value + 10}));
  EXPECT_THAT(keys().accept(about(next), before).error().text(), HasSubstr("older"));
  EXPECT_THAT(keys().aggregator_keys(before), ElementsAre(present, third));
}

TEST_F(AdversaryAcceptedKeys, AStateThatWasChangedIsAnErrorAndNoReasonToBelieveAFormerKey) {
  accept(about(next));
  ASSERT_TRUE(keys().connected(next));
  const auto file = AcceptedKeys::file_of(config);
  const std::string text = read_text_file(file, 1 << 20).value();
  for (const std::string& changed :
       {std::string(), text.substr(0, text.size() / 2), "pinned x\n" + text,
        text.substr(0, text.find("aggregator ")) + enrolment::text_of(about(new_key())).substr(17)}) {
    ASSERT_TRUE(write_file_atomically(file, changed));
    const auto opened = AcceptedKeys::open(config);
    if (opened)
      EXPECT_THAT(opened->aggregator_keys({}), ::testing::Not(::testing::Contains(present))) << changed;
    else EXPECT_EQ(opened.error().code, ErrorCode::storage);
  }
}

TEST_F(AdversaryAcceptedKeys, WithoutARootKeyNothingIsAccepted) {
  config.model.root.reset();
  EXPECT_EQ(keys().accept(about(next), before).error().code, ErrorCode::usage);
}

}  // namespace
}  // namespace hansa::client
