// The operator's commands that change the key of the aggregator and the root key.
#include "tools/key_rotation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/enrolment/device_file.h"
#include "tests/temporary_folder.h"
#include "tools/federation_folder.h"
#include "tools/scaffold.h"

namespace hansa::tools {
namespace {

using secure_aggregation::SigningKey;

constexpr std::uint64_t day_s = 24 * 3'600;

class KeyRotationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ScaffoldPlan scaffold_plan;
    scaffold_plan.folder = folder();
    scaffold_plan.clients = {"a", "b", "c"};
    ASSERT_TRUE(scaffold(scaffold_plan));
    config = read_federation_folder(folder()).value();
    root.emplace(read_operator_key(config, folder(), {}).value());
    plan = {folder() / "statements", config.name, utc_seconds_now(), 14 * day_s};
  }
  [[nodiscard]] std::filesystem::path folder() const { return temporary_.path() / "mine"; }
  [[nodiscard]] enrolment::KeyStatements stated() const {
    return enrolment::read_statements(plan.file).value();
  }

  TemporaryFolder temporary_;
  server::FederationConfig config;
  std::optional<SigningKey> root;
  StatementPlan plan;
};

TEST_F(KeyRotationTest, TheAggregatorsNextKeyIsMadeOnceAndStated) {
  const auto key = make_next_aggregator_key(config).value();
  EXPECT_EQ(make_next_aggregator_key(config).value(), key) << "an interrupted command continues";
  const auto statement = state_aggregator_key(plan, *root, key);
  ASSERT_TRUE(statement) << statement.error().text();
  EXPECT_EQ(statement->from.value, plan.now.value + 14 * day_s);
  plan.now.value += 100;
  EXPECT_EQ(state_aggregator_key(plan, *root, key).value(), *statement) << "stating it again changes nothing";
  EXPECT_TRUE(enrolment::check_statements(stated(), "mine", root->public_key(), plan.now));
}

TEST_F(KeyRotationTest, ALaterStatementIsLaterAlsoIfTheClockWasSetBack) {
  const auto key = make_next_aggregator_key(config).value();
  const auto first = state_aggregator_key(plan, *root, key).value();
  plan.now.value -= 1'000;
  const auto other = transport::generate_secret_key().value().public_key().value();
  EXPECT_GT(state_aggregator_key(plan, *root, other)->issued, first.issued);
}

TEST_F(KeyRotationTest, ANextRootKeySignsTheStatementAboutTheAggregatorAgain) {
  const auto key = make_next_aggregator_key(config).value();
  ASSERT_TRUE(state_aggregator_key(plan, *root, key));
  const auto earlier = stated();
  const auto next = SigningKey::generate().value();
  ASSERT_TRUE(state_next_root(plan, *root, next));
  EXPECT_TRUE(state_next_root(plan, *root, next)) << "an interrupted command continues";
  EXPECT_EQ(stated().roots.size(), 1U);
  EXPECT_TRUE(enrolment::check_continues(stated(), earlier));
  const UtcSeconds later{plan.now.value + 100 * day_s};
  EXPECT_TRUE(enrolment::check_statements(stated(), "mine", root->public_key(), later));
  // From now on the new root key states.
  const auto other = transport::generate_secret_key().value().public_key().value();
  EXPECT_EQ(state_aggregator_key(plan, *root, other).error().code, ErrorCode::refused);
  EXPECT_TRUE(state_aggregator_key(plan, next, other));
}

using AdversaryKeyRotationTest = KeyRotationTest;
TEST_F(AdversaryKeyRotationTest, AFileOfAnotherRootOrFederationIsNotContinued) {
  const auto key = make_next_aggregator_key(config).value();
  const auto thief = SigningKey::generate().value();
  ASSERT_TRUE(state_aggregator_key(plan, thief, key));
  EXPECT_EQ(state_aggregator_key(plan, *root, key).error().code, ErrorCode::refused);
  EXPECT_EQ(state_next_root(plan, *root, SigningKey::generate().value()).error().code, ErrorCode::refused);
  plan.federation = "other";
  EXPECT_EQ(state_aggregator_key(plan, thief, key).error().code, ErrorCode::usage);
}

}  // namespace
}  // namespace hansa::tools
