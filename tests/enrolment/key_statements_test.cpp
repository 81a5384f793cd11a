// Statements of the root key about other keys: golden text, round trips, and what is refused.
#include "protocols/enrolment/key_statements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/files.h"
#include "common/random.h"
#include "protocols/enrolment/device_file.h"
#include "tests/temporary_folder.h"

namespace hansa::enrolment {
namespace {

using secure_aggregation::SigningKey;
using ::testing::HasSubstr;

constexpr UtcSeconds issued{1'796'000'000}, from{1'797'209'600}, until{1'798'000'000};
constexpr UtcSeconds during{1'797'000'000}, after{1'798'000'000};

class KeyStatementsTest : public ::testing::Test {
 protected:
  transport::SecretKey secret_of(const std::string& z85) {
    EXPECT_TRUE(write_file_atomically(folder / "secret.key", z85 + "\n", FileAccess::owner_only));
    return transport::read_secret_key(folder / "secret.key").value();
  }
  SigningKey signer(const std::string& z85) { return identity_of(secret_of(z85)).value(); }
  // Signed by `by`.
  [[nodiscard]] KeyStatements about_aggregator(const SigningKey& by, UtcSeconds at = issued) const {
    return {"pumps", {}, state_aggregator(by, "pumps", {next_key, at, from, {}}).value()};
  }
  [[nodiscard]] Result<TrustedRoots> check(const KeyStatements& statements, UtcSeconds now = during) const {
    return check_statements(statements, "pumps", root.public_key(), now);
  }

  TemporaryFolder folder;
  SigningKey root = signer("kTv.7l}6Nnnj=ADoIFnTp/ga?r8($2sxO*itWpVy");
  SigningKey next_root = signer("u$0IOwmYv=xLzi%y&a6dAb/]tBAI+JCZjQZE0{D[");
  transport::PublicKey next_key = secret_of("FpSr8GOteoH(41EJe-<UKDCY&L:dM3N3<zjOsMmz").public_key().value();
  KeyStatements both{"pumps",
                     {state_root(root, next_root, "pumps", issued, until).value()},
                     state_aggregator(next_root, "pumps", {next_key, issued, from, {}}).value()};
};

TEST_F(KeyStatementsTest, AreTheGoldenText) {
  const auto golden = read_statements(HANSA_STATEMENTS_GOLDEN);
  ASSERT_TRUE(golden) << golden.error().text();
  EXPECT_EQ(text_of(*golden), text_of(both));
  EXPECT_TRUE(check(*golden));
}

TEST_F(KeyStatementsTest, ComeBackFromAFileAndFromAFrame) {
  ASSERT_TRUE(write_statements(both, folder / "statements"));
  EXPECT_EQ(read_statements(folder / "statements").value(), both);
  const auto frame = frame_of(both);
  EXPECT_TRUE(is_statements_frame(frame));
  EXPECT_EQ(parse_statements_frame(frame).value(), both);
  EXPECT_EQ(static_cast<char>(frame[0]), 'H');
  EXPECT_EQ(static_cast<char>(frame[1]), 'K');
  EXPECT_EQ(frame.size(), 4 + text_of(both).size());
}

TEST_F(KeyStatementsTest, TheFormerRootHoldsUntilItsTimeAndTheNewOneFromTheStart) {
  const auto now = check(both, during).value();
  EXPECT_EQ(now.newest, next_root.public_key());
  EXPECT_TRUE(now.contains(root.public_key()));
  const auto later = check(both, after).value();
  EXPECT_EQ(later.newest, next_root.public_key());
  EXPECT_FALSE(later.contains(root.public_key()));
  // A device that pinned the new root key.
  const auto pinned_new = check_statements(both, "pumps", next_root.public_key(), during).value();
  EXPECT_EQ(pinned_new.newest, next_root.public_key());
  EXPECT_FALSE(pinned_new.former);
}

TEST_F(KeyStatementsTest, AChainOfRootKeysIsFollowedFromAnyOfThem) {
  const auto third = SigningKey::generate().value();
  KeyStatements chain = both;
  chain.roots.push_back(
      state_root(next_root, third, "pumps", {issued.value + 1}, {until.value + 100}).value());
  chain.aggregator = state_aggregator(third, "pumps", *chain.aggregator).value();
  const std::vector<const SigningKey*> all{&root, &next_root, &third};
  for (const SigningKey* pinned : all)
    EXPECT_EQ(check_statements(chain, "pumps", pinned->public_key(), during)->newest, third.public_key());
  EXPECT_FALSE(check(chain)->contains(root.public_key())) << "only the last one before";
  EXPECT_TRUE(check_continues(chain, both));
}

using AdversaryKeyStatements = KeyStatementsTest;
TEST_F(AdversaryKeyStatements, AStatementOfAnotherRootIsRefused) {
  const auto thief = SigningKey::generate().value();
  EXPECT_TRUE(check(about_aggregator(root)));
  EXPECT_EQ(check(about_aggregator(thief)).error().code, ErrorCode::refused);
  KeyStatements chain{"pumps", {state_root(thief, next_root, "pumps", issued, until).value()}, {}};
  EXPECT_EQ(check(chain)->newest, root.public_key())
      << "it does not begin at the pinned key, and changes nothing";
  chain.roots[0].former = root.public_key();
  EXPECT_EQ(check(chain).error().code, ErrorCode::refused);
}

TEST_F(AdversaryKeyStatements, ASignatureOfTheNewRootAloneOrOfTheFormerAloneIsNotEnough) {
  for (auto* signature : {&both.roots[0].by_former, &both.roots[0].by_next}) {
    const auto kept = *signature;
    (*signature)[5] ^= 1;
    EXPECT_EQ(check(both).error().code, ErrorCode::refused);
    *signature = kept;
  }
  EXPECT_TRUE(check(both));
}

TEST_F(AdversaryKeyStatements, AStatementForAnotherFederationIsRefused) {
  auto statements = about_aggregator(root);
  statements.federation = "other";
  EXPECT_THAT(check(statements).error().text(), HasSubstr("federation \"other\""));
  EXPECT_FALSE(check_statements(statements, "other", root.public_key(), during)) << "its name is signed";
}

TEST_F(AdversaryKeyStatements, EveryAlteredFieldIsRefused) {
  std::vector<KeyStatements> altered(6, both);
  altered[0].aggregator->from.value += 1;
  altered[1].aggregator->issued.value += 1;
  altered[2].aggregator->key = transport::generate_secret_key().value().public_key().value();
  altered[3].roots[0].until.value += 1;
  altered[4].roots[0].issued.value += 1;
  altered[5].roots[0].next = root.public_key();
  for (const KeyStatements& statements : altered)
    EXPECT_EQ(check(statements).error().code, ErrorCode::refused) << text_of(statements);
}

TEST_F(AdversaryKeyStatements, TheFormerRootStatesNothingAfterItsTime) {
  both.aggregator = state_aggregator(root, "pumps", *both.aggregator).value();
  EXPECT_TRUE(check(both, during));
  EXPECT_EQ(check(both, after).error().code, ErrorCode::refused);
}

TEST_F(AdversaryKeyStatements, ARootKeyThatComesBackIsRefused) {
  both.roots.push_back(state_root(next_root, root, "pumps", {issued.value + 1}, until).value());
  EXPECT_FALSE(check(both));
}

TEST_F(AdversaryKeyStatements, AnOlderStatementDoesNotReplaceANewerOne) {
  const auto older = about_aggregator(root), newer = about_aggregator(root, {issued.value + 10});
  EXPECT_TRUE(check_continues(newer, older));
  EXPECT_THAT(check_continues(older, newer).error().text(), HasSubstr("older"));
  EXPECT_FALSE(check_continues({"pumps", {}, {}}, newer)) << "leaving it out is no way to take it back";
  auto other = newer;
  other.aggregator->key = transport::generate_secret_key().value().public_key().value();
  other.aggregator = state_aggregator(root, "pumps", *other.aggregator).value();
  EXPECT_THAT(check_continues(other, newer).error().text(), HasSubstr("contradicts"));
}

// A thief of the former root key signs another continuation.
TEST_F(AdversaryKeyStatements, AnotherContinuationOfTheSameRootIsRefusedByWhoeverHasTheFirst) {
  const auto thief = SigningKey::generate().value();
  const KeyStatements fork{
      "pumps", {state_root(root, thief, "pumps", {issued.value + 100}, until).value()}, {}};
  EXPECT_TRUE(check(fork)) << "a device that was away cannot know better";
  EXPECT_FALSE(check_continues(fork, both));
  EXPECT_FALSE(check_continues({"pumps", {}, both.aggregator}, both)) << "nor is the chain made shorter";
}

TEST_F(AdversaryKeyStatements, HostileTextsAreErrorsAndWhatIsReadIsWrittenAgain) {
  const std::string text = text_of(both);
  Random random(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string altered = text;
    for (std::uint64_t n = 1 + random.below(4); n > 0; --n)
      altered[random.below(altered.size())] = static_cast<char>(random.below(128));
    if (random.chance(0.2)) altered.resize(random.below(altered.size() + 1));
    if (const auto read = parse_statements(altered, "text")) {
      EXPECT_EQ(parse_statements(text_of(*read), "again").value(), *read);
      if (read->roots == both.roots && read->aggregator == both.aggregator &&
          read->federation == both.federation)
        continue;
      const auto checked = check(*read);
      EXPECT_FALSE(checked && !read->roots.empty() && read->aggregator) << altered;
    }
  }
  std::string many = "federation pumps\n";
  for (std::size_t i = 0; i <= root_statements_max; ++i)
    many += text.substr(text.find("root "), text.find("aggregator") - text.find("root "));
  EXPECT_FALSE(parse_statements(many, ""));
  EXPECT_FALSE(parse_statements(std::string(statements_bytes_max + 1, '#'), ""));
  EXPECT_FALSE(parse_statements("", ""));
  EXPECT_FALSE(parse_statements("root a b\n", ""));
  EXPECT_FALSE(parse_statements("federation pumps\nfederation pumps\n", ""));
  EXPECT_FALSE(parse_statements_frame({}));
}

}  // namespace
}  // namespace hansa::enrolment
