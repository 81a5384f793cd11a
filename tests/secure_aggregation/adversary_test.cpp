// Attacks by a malicious aggregator or client, and why they fail.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/secure_aggregation/cohort.h"

namespace hansa::secure_aggregation {
namespace {

using testing::Cohort;
using testing::Leaves;
using testing::small_policy;
using testing::small_setup;
using testing::SumRun;

class Adversary : public ::testing::Test {
 protected:
  static constexpr std::uint32_t clients = 6;
  Cohort cohort{clients};
  Random random{1};
  SumRun run{cohort, small_setup(clients)};

  void up_to_roster() { ASSERT_TRUE(run.adverts(random)); }
  void up_to_shares() {
    up_to_roster();
    ASSERT_TRUE(run.shares(random));
  }
  void up_to_masked() {
    up_to_shares();
    ASSERT_TRUE(run.masked(random));
  }
  // The client refuses with this reason, and refuses everything afterwards.
  template <class T>
  void expect_refused(const Result<T>& result, const std::string& reason, const ClientSum& client) {
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().text().find(reason), std::string::npos) << result.error().text();
    EXPECT_TRUE(client.failed());
    EXPECT_FALSE(client.mask_terms());
  }
};

// --- Attacks by the aggregator ---

TEST_F(Adversary, NeighboursDetectASwappedKey) {
  up_to_roster();
  Roster roster = run.aggregator.roster();
  const auto own = make_key_pair();
  roster[2].advert.mask_key = own->public_key;
  expect_refused(run.clients[0].on_roster(encode(roster), UtcSeconds{}), "client-0002: are not signed",
                 run.clients[0]);
  expect_refused(run.clients[2].on_roster(encode(roster), UtcSeconds{}), "different keys of this client",
                 run.clients[2]);
}

TEST_F(Adversary, AnInventedClientHasNoCertificate) {
  up_to_roster();
  // The aggregator certifies it with a root key of its own.
  const Cohort invented(1);
  Roster roster = run.aggregator.roster();
  const auto fake = ClientSum::begin(run.setup, small_policy(), {"client-0009", invented.keys[0].get(), {}});
  roster.back() = {
      *certify(invented.root, "test", "client-0009", invented.keys[0]->public_key(), holds_always),
      fake->advert()};
  expect_refused(run.clients[0].on_roster(encode(roster), UtcSeconds{}),
                 "client-0009: is not signed by the federation's root", run.clients[0]);
}

TEST_F(Adversary, ACertificateOfAnotherFederationIsRefused) {
  const Cohort elsewhere(clients, "elsewhere");
  up_to_roster();
  Roster roster = run.aggregator.roster();
  roster[3].certificate =
      *certify(cohort.root, "elsewhere", "client-0003", cohort.keys[3]->public_key(), holds_always);
  expect_refused(run.clients[0].on_roster(encode(roster), UtcSeconds{}), "client-0003: is not signed",
                 run.clients[0]);
}

TEST_F(Adversary, KeysOfAnotherRoundAreRefused) {
  auto other = run.setup;
  other.attempt = 2;
  const auto old = ClientSum::begin(other, small_policy(), cohort.identity(1));
  ASSERT_TRUE(old);
  EXPECT_FALSE(run.aggregator.on_advert("client-0001", old->advert())) << "an honest aggregator";
  up_to_roster();
  Roster roster = run.aggregator.roster();
  roster[1].advert = old->advert();
  expect_refused(run.clients[0].on_roster(encode(roster), UtcSeconds{}),
                 "not signed by its identity for this sum", run.clients[0]);
}

TEST_F(Adversary, AClientChecksTheSizeOfTheRosterItself) {
  up_to_roster();
  Roster roster = run.aggregator.roster();
  roster.resize(2);
  expect_refused(run.clients[0].on_roster(encode(roster), UtcSeconds{}),
                 "has 2 clients, this client requires 3", run.clients[0]);
}

TEST_F(Adversary, ASecondRosterIsRefused) {
  up_to_shares();
  expect_refused(run.clients[0].on_roster(run.aggregator.encoded_roster(), UtcSeconds{}), "out of order",
                 run.clients[0]);
}

TEST_F(Adversary, SharesAreForOneReceiverOfOneContext) {
  up_to_roster();
  for (std::size_t i = 0; i < clients; ++i)
    ASSERT_TRUE(run.aggregator.on_shares(
        run.at(i), *run.clients[i].on_roster(run.aggregator.encoded_roster(), UtcSeconds{})));
  ASSERT_TRUE(run.aggregator.fix_sharers());
  // The shares for client 1 are given to client 0.
  expect_refused(run.clients[0].on_delivery(*run.aggregator.delivery_for(1)), "were modified",
                 run.clients[0]);
  auto changed = *run.aggregator.delivery_for(2);
  changed.shares[1][5] ^= 1;
  expect_refused(run.clients[2].on_delivery(changed), "were modified", run.clients[2]);
  auto fewer = *run.aggregator.delivery_for(3);
  fewer.shares.pop_back();
  expect_refused(run.clients[3].on_delivery(fewer), "do not match the neighbours", run.clients[3]);
  Delivery two{Subset(5), {}};
  two.sharers.insert(0);
  two.shares.push_back(run.aggregator.delivery_for(4)->shares[0]);
  expect_refused(run.clients[4].on_delivery(two), "too few neighbours shared", run.clients[4]);
}

TEST_F(Adversary, AClientNeverRevealsBothSharesOfAnother) {
  up_to_masked();
  UnmaskRequest all = run.aggregator.request();
  const auto first = run.clients[0].on_unmask(all);
  ASSERT_TRUE(first);
  const auto again = run.clients[0].on_unmask(all);
  ASSERT_TRUE(again) << "an answer that got lost is sent again";
  for (std::size_t i = 0; i < first->shares.size(); ++i) EXPECT_TRUE(first->shares[i] == again->shares[i]);
  UnmaskRequest without{Subset(clients), {}};
  for (Position i = 0; i < clients; ++i)
    if (i != 3) without.survivors.insert(i);
  expect_refused(run.clients[0].on_unmask(without), "two different sets of survivors", run.clients[0]);
  EXPECT_FALSE(run.clients[0].on_unmask(all)) << "from then on it tells nothing at all";
}

TEST_F(Adversary, UnmaskingASumOfTooFewIsRefused) {
  up_to_masked();
  UnmaskRequest request{Subset(clients), {}};
  request.survivors.insert(0);
  request.survivors.insert(1);
  expect_refused(run.clients[0].on_unmask(request), "has 2 clients, this client requires 3", run.clients[0]);
  request.survivors.insert(2);
  expect_refused(run.clients[1].on_unmask(request), "has 3 clients, of which 2 may be corrupt",
                 run.clients[1]);
  request.survivors.insert(4);
  expect_refused(run.clients[3].on_unmask(request), "does not count", run.clients[3]);
  expect_refused(run.clients[2].on_unmask({Subset(clients + 1), {}}), "belongs to another roster",
                 run.clients[2]);
}

TEST_F(Adversary, UnmaskingWithFewerSurvivorsThanTheThresholdIsRefused) {
  const Cohort ten(10);
  SumRun larger(ten, small_setup(10));
  ASSERT_TRUE(larger.adverts(random));
  ASSERT_TRUE(larger.shares(random));
  ASSERT_TRUE(larger.masked(random));
  UnmaskRequest request{Subset(10), {}};
  for (Position i = 0; i < 5; ++i) request.survivors.insert(i);
  expect_refused(larger.clients[0].on_unmask(request), "only 5 survivors among the holders",
                 larger.clients[0]);
}

TEST_F(Adversary, ASurvivorThatSharedNoSecretsIsRefused) {
  run.leaves[5] = Leaves::before_shares;
  up_to_masked();
  UnmaskRequest request = run.aggregator.request();
  request.survivors.insert(5);
  expect_refused(run.clients[0].on_unmask(request), "client-0005, which sent no shares", run.clients[0]);
}

TEST_F(Adversary, UnmaskingBeforeMaskingIsRefused) {
  up_to_roster();
  UnmaskRequest request{Subset(clients), {}};
  for (Position i = 0; i < clients; ++i) request.survivors.insert(i);
  expect_refused(run.clients[0].on_unmask(request), "out of order", run.clients[0]);
}

TEST_F(Adversary, ASetupWeakerThanTheClientsPolicyIsRefused) {
  const auto refused = [&](const Policy& policy, const std::string& reason) {
    const auto sum = ClientSum::begin(run.setup, policy, cohort.identity(0));
    ASSERT_FALSE(sum);
    EXPECT_EQ(sum.error().code, ErrorCode::refused);
    EXPECT_NE(sum.error().text().find(reason), std::string::npos) << sum.error().text();
  };
  Policy policy;
  policy.clients_min = 7;
  refused(policy, "has 6 clients, this client requires 7");
  policy = {};
  policy.threat_model = ThreatModel::active;
  refused(policy, "assumes that the aggregator follows the protocol");
  policy = {};
  policy.corrupt_min = 0.3;
  refused(policy, "fewer corrupt clients");
  policy = {};
  policy.security_bits_min = 41;
  refused(policy, "statistical risk");
}

TEST_F(Adversary, ARingThatOverflowsIsRefused) {
  auto setup = run.setup;
  --setup.quantisation.ring_bits;
  EXPECT_FALSE(ClientSum::begin(setup, small_policy(), cohort.identity(0)));
  EXPECT_FALSE(AggregatorSum::begin(setup, cohort.certificates));
}

// The aggregator sends different survivors to different clients. With the consistency round no client answers.
TEST_F(Adversary, TheConsistencyRoundDetectsDifferentSurvivors) {
  SumRun active(cohort, small_setup(clients, ThreatModel::active));
  ASSERT_TRUE(active.adverts(random));
  ASSERT_TRUE(active.shares(random));
  ASSERT_TRUE(active.masked(random));
  Subset all = active.aggregator.survivors();
  Subset lie(clients);
  for (Position i = 0; i + 1 < clients; ++i) lie.insert(i);
  std::vector<SignedBy> of_all, of_lie;
  for (std::size_t i = 0; i < clients; ++i) {
    const bool lied_to = i < 3;
    const auto signature = active.clients[i].on_survivors(lied_to ? lie : all);
    ASSERT_TRUE(signature);
    (lied_to ? of_lie : of_all).push_back({static_cast<Position>(i), *signature});
  }
  EXPECT_LT(of_all.size(), active.aggregator.parameters().threshold);
  expect_refused(active.clients[5].on_unmask({all, of_all}), "signatures of the survivors",
                 active.clients[5]);
  // Signatures over the other set do not count, nor does one twice.
  of_all.push_back(of_lie[0]);
  expect_refused(active.clients[4].on_unmask({all, of_all}), "of client-0000 that does not match these",
                 active.clients[4]);
  of_all.back() = of_all.front();
  expect_refused(active.clients[3].on_unmask({all, of_all}), "two of one client", active.clients[3]);
  expect_refused(active.clients[2].on_unmask({all, of_all}), "two different sets of survivors",
                 active.clients[2]);
  expect_refused(active.clients[1].on_unmask({lie, of_lie}), "signatures of the survivors",
                 active.clients[1]);
}

TEST_F(Adversary, WithoutAConsistencyRoundAnActiveSumIsNotUnmasked) {
  SumRun active(cohort, small_setup(clients, ThreatModel::active));
  ASSERT_TRUE(active.adverts(random));
  ASSERT_TRUE(active.shares(random));
  ASSERT_TRUE(active.masked(random));
  expect_refused(active.clients[0].on_unmask({active.aggregator.survivors(), {}}), "out of order",
                 active.clients[0]);
}

// --- Attacks by a client ---

TEST_F(Adversary, KeysSignedByAnotherClientAreRefused) {
  ASSERT_TRUE(run.aggregator.on_advert("client-0000", run.clients[0].advert()));
  const auto stolen = run.aggregator.on_advert("client-0001", run.clients[0].advert());
  ASSERT_FALSE(stolen);
  EXPECT_NE(stolen.error().text().find("client-0001: are not signed by its identity"), std::string::npos);
  EXPECT_FALSE(run.aggregator.on_advert("client-0000", run.clients[0].advert())) << "twice";
  EXPECT_FALSE(run.aggregator.on_advert("stranger", run.clients[0].advert()));
}

TEST_F(Adversary, PointsOfLowOrderAreRefusedByBothSides) {
  // The keys are signed properly, so only the key agreement can detect it.
  for (PublicKey Advert::*key : {&Advert::share_key, &Advert::mask_key}) {
    Advert advert = run.clients[5].advert();
    advert.*key = {};
    ASSERT_TRUE(sign(advert, "client-0005", run.setup.digest(), *cohort.keys[5]));
    const auto refused = run.aggregator.on_advert("client-0005", advert);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text().find("low order"), std::string::npos);
  }
  up_to_roster();
  Roster roster = run.aggregator.roster();
  roster[5].advert.share_key = {};
  ASSERT_TRUE(sign(roster[5].advert, "client-0005", run.setup.digest(), *cohort.keys[5]));
  expect_refused(run.clients[0].on_roster(encode(roster), UtcSeconds{}), "low order", run.clients[0]);
}

TEST_F(Adversary, WrongNumbersOfSharesAreRefused) {
  up_to_roster();
  auto shares = *run.clients[0].on_roster(run.aggregator.encoded_roster(), UtcSeconds{});
  auto fewer = shares;
  fewer.pop_back();
  EXPECT_FALSE(run.aggregator.on_shares(0, fewer));
  EXPECT_TRUE(run.aggregator.on_shares(0, shares));
  EXPECT_FALSE(run.aggregator.on_shares(0, shares)) << "twice";
  EXPECT_FALSE(run.aggregator.on_shares(clients, shares));
}

// Wrong shares from a minority are detected, as long as enough others answer.
TEST_F(Adversary, WrongSharesAreDetectedAndOmitted) {
  run.leaves[4] = Leaves::before_masked;
  up_to_shares();
  auto sum = run.masked(random);
  ASSERT_TRUE(sum);
  for (const std::size_t i : {0, 1, 2, 3, 5}) {
    auto answer = run.clients[i].on_unmask(run.aggregator.request());
    ASSERT_TRUE(answer);
    if (i == 2)
      for (Secret32& share : answer->shares) share.bytes()[0] ^= 1;
    ASSERT_TRUE(run.aggregator.on_answer(run.at(i), std::move(*answer)));
  }
  const auto terms = open_masks(run.aggregator.revealed(), OpeningEffort::all).terms;
  ASSERT_TRUE(terms) << terms.error().text();
  EXPECT_TRUE(std::ranges::equal(*sum->unmask(*terms, 1), run.plain_sum()));
}

TEST_F(Adversary, WrongSharesWithoutEnoughOthersFailTheRound) {
  up_to_masked();
  for (const std::size_t i : {0, 1, 2, 3}) {
    auto answer = run.clients[i].on_unmask(run.aggregator.request());
    if (i == 2) answer->shares[0].bytes()[31] ^= 128;
    ASSERT_TRUE(run.aggregator.on_answer(run.at(i), std::move(*answer)));
  }
  ASSERT_TRUE(run.aggregator.can_unmask());
  const auto terms = open_masks(run.aggregator.revealed(), OpeningEffort::all).terms;
  ASSERT_FALSE(terms);
  EXPECT_EQ(terms.error().code, ErrorCode::quorum);
  EXPECT_NE(terms.error().text().find("client-0000"), std::string::npos) << terms.error().text();
}

TEST_F(Adversary, AnswersWithAWrongLengthOrFromADropoutAreRefused) {
  run.leaves[1] = Leaves::before_masked;
  up_to_masked();
  auto answer = run.clients[0].on_unmask(run.aggregator.request());
  UnmaskShares fewer;
  for (std::size_t i = 1; i < answer->shares.size(); ++i) fewer.shares.push_back(answer->shares[i].copy());
  EXPECT_FALSE(run.aggregator.on_answer(0, std::move(fewer)));
  UnmaskShares stolen;
  for (const Secret32& share : answer->shares) stolen.shares.push_back(share.copy());
  EXPECT_FALSE(run.aggregator.on_answer(1, std::move(stolen)));
  EXPECT_TRUE(run.aggregator.on_answer(0, std::move(*answer)));
}

TEST_F(Adversary, AMaskedVectorAfterTheSurvivorsAreFixedIsNeverAccepted) {
  run.leaves[1] = Leaves::before_masked;
  up_to_masked();
  const auto late = run.aggregator.on_masked(run.at(1));
  ASSERT_FALSE(late);
  EXPECT_NE(late.error().text().find("too late"), std::string::npos);
}

}  // namespace
}  // namespace hansa::secure_aggregation
