// An aggregator whose accomplices are most of a cohort: every sum must contain enough clients that are not corrupt.
#include <gtest/gtest.h>

#include "tests/secure_aggregation/cohort.h"

namespace hansa::secure_aggregation::testing {
namespace {

TEST(AdversaryHonestMin, TheCorruptClientsOfASumDoNotHideTheOthers) {
  const Assumptions curious;
  // 0.2 of 3, 4, 5, 6, 10 and 100 clients, rounded up: 1, 1, 1, 2, 2, 20.
  EXPECT_EQ(contributors_min(4, curious, std::nullopt), 4U);
  EXPECT_EQ(contributors_min(6, curious, std::nullopt), 5U);
  EXPECT_EQ(contributors_min(100, curious, std::nullopt), 23U);
  EXPECT_EQ(cohort_min(curious, std::nullopt), 4U);
  EXPECT_EQ(cohort_min(curious, honest_min_least), 3U);
  Assumptions active;
  active.threat_model = ThreatModel::active;
  EXPECT_EQ(contributors_min(13, active, std::nullopt), 13U);
  EXPECT_EQ(cohort_min(active, std::nullopt), 13U);
  Assumptions none;
  none.corrupt = 0;
  EXPECT_EQ(cohort_min(none, std::nullopt), 4U) << "one client is always assumed to be corrupt";
}

TEST(AdversaryHonestMin, ACohortOfThreeIsDeclinedUnlessTheDevicesOwnerAllowsIt) {
  const SumSetup setup = small_setup(3);
  const auto declined = check(setup, Policy());
  ASSERT_FALSE(declined);
  EXPECT_EQ(declined.error().reason.code, ReasonCode::policy_weaker);
  EXPECT_NE(declined.error().text().find(
                "has 3 clients, of which 1 may be corrupt; this client requires 3 honest ones"),
            std::string::npos)
      << declined.error().text();
  EXPECT_TRUE(check(setup, small_policy()));
}

TEST(AdversaryHonestMin, AnActiveModelNeedsTenHonestClients) {
  EXPECT_FALSE(check(small_setup(12, ThreatModel::active), Policy()));
  EXPECT_TRUE(check(small_setup(13, ThreatModel::active), Policy()));
}

// The aggregator announces many clients, and shows a roster of few.
TEST(AdversaryHonestMin, ARosterWithTooFewIsRefused) {
  const Cohort cohort(4);
  SumSetup setup = small_setup(10);
  std::vector<ClientSum> clients;
  Roster roster;
  for (std::size_t i = 0; i < 3; ++i) {
    clients.push_back(*ClientSum::begin(setup, Policy(), cohort.identity(i)));
    roster.push_back({cohort.certificates[i], clients[i].advert()});
  }
  const auto refused = clients[0].on_roster(encode(roster), UtcSeconds{});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason.code, ReasonCode::policy_weaker);
  EXPECT_TRUE(clients[0].failed());
}

// It leaves out the vectors of honest clients, until those of its accomplices and of one other are left.
TEST(AdversaryHonestMin, SurvivorsWithTooFewAreNotUnmasked) {
  const Cohort cohort(7);
  SumRun run(cohort, small_setup(7));
  for (std::size_t i = 0; i < 7; ++i)
    run.clients[i] = *ClientSum::begin(run.setup, Policy(), cohort.identity(i));
  Random random(1);
  ASSERT_TRUE(run.adverts(random));
  ASSERT_TRUE(run.shares(random));
  ASSERT_TRUE(run.masked(random));
  // The threshold of 7 clients is 4, and 2 of them may be corrupt.
  UnmaskRequest request{Subset(7), {}};
  for (Position i = 0; i < 4; ++i) request.survivors.insert(i);
  const auto refused = run.clients[0].on_unmask(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason.code, ReasonCode::policy_weaker);
  EXPECT_TRUE(run.clients[0].failed());
  request.survivors.insert(4);
  EXPECT_TRUE(run.clients[1].on_unmask(request));
}

// An honest aggregator does not ask for what clients refuse: too few keys end the attempt at once.
TEST(AdversaryHonestMin, AnHonestAggregatorGivesUpBeforeTheClientsRefuse) {
  const Cohort cohort(7);
  auto aggregator = *AggregatorSum::begin(small_setup(7), cohort.certificates);
  for (std::size_t i = 0; i < 3; ++i)
    ASSERT_TRUE(aggregator.on_advert(
        cohort.names[i], ClientSum::begin(small_setup(7), Policy(), cohort.identity(i))->advert()));
  const auto too_few = aggregator.fix_roster();
  ASSERT_FALSE(too_few);
  EXPECT_NE(too_few.error().text().find("only 3 clients sent keys, 4 are needed"), std::string::npos)
      << too_few.error().text();
}

}  // namespace
}  // namespace hansa::secure_aggregation::testing
