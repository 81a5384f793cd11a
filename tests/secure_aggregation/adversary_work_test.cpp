// Attacks by an aggregator that gives one client other work than the others: the client's masks must not cancel, or its
// neighbours must refuse its keys.
#include <gtest/gtest.h>

#include "tests/secure_aggregation/cohort.h"

namespace hansa::secure_aggregation {
namespace {

using testing::Cohort;
using testing::small_policy;
using testing::small_setup;

SumSetup setup_with(std::string_view model, std::string_view work) {
  SumSetup out = small_setup(4);
  out.model = sha256(model);
  out.work = sha256(work);
  return out;
}

// The aggregator plays a sum of its own with each client. Every client is shown the keys that it needs to see.
TEST(AdversaryWork, AClientWithOtherWorkIsRefusedByTheCohortAndRefusesIt) {
  for (const SumSetup& other : {setup_with("another model", "work"), setup_with("model", "another work")}) {
    const Cohort cohort(4);
    const SumSetup common = setup_with("model", "work");
    std::vector<ClientSum> clients;
    for (std::size_t i = 0; i < 4; ++i)
      clients.push_back(*ClientSum::begin(i == 0 ? other : common, small_policy(), cohort.identity(i)));
    Roster roster;
    for (std::size_t i = 0; i < 4; ++i) roster.push_back({cohort.certificates[i], clients[i].advert()});
    const auto encoded = encode(roster);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_FALSE(clients[i].on_roster(encoded, UtcSeconds{})) << i;
      EXPECT_TRUE(clients[i].failed()) << i;
    }
  }
}

// Even if neighbours accepted each other's keys, the masks of different contexts would not cancel.
TEST(AdversaryWork, DifferentWorkGivesDifferentContexts) {
  const GraphParameters parameters{4, 3, 3};
  const Digest roster = sha256("roster");
  const Digest context = context_of(setup_with("model", "work"), roster, parameters);
  EXPECT_NE(context, context_of(setup_with("another model", "work"), roster, parameters));
  EXPECT_NE(context, context_of(setup_with("model", "another work"), roster, parameters));
}

TEST(AdversaryWork, OneIdentityUnderTwoNamesIsRefused) {
  const Cohort cohort(4);
  auto certificates = cohort.certificates;
  certificates[1] =
      *certify(cohort.root, "test", cohort.names[1], cohort.keys[0]->public_key(), holds_always);
  const SumSetup setup = small_setup(4);
  std::vector<ClientSum> clients;
  Roster roster;
  for (std::size_t i = 0; i < 4; ++i) {
    ClientIdentity identity = cohort.identity(i);
    if (i == 1) identity.key = cohort.keys[0].get();
    clients.push_back(*ClientSum::begin(setup, small_policy(), identity));
    roster.push_back({certificates[i], clients[i].advert()});
  }
  EXPECT_FALSE(clients[2].on_roster(encode(roster), UtcSeconds{}));
  // The aggregator does not let it come so far: the first name takes part, the second does not.
  auto aggregator = *AggregatorSum::begin(setup, certificates);
  EXPECT_TRUE(aggregator.on_advert(cohort.names[0], clients[0].advert()));
  EXPECT_FALSE(aggregator.on_advert(cohort.names[1], clients[1].advert()));
  EXPECT_TRUE(aggregator.on_advert(cohort.names[2], clients[2].advert()));
}

// One corrupt client that signs two sets must not be enough for two thresholds, whatever the size of the cohort.
TEST(AdversaryWork, OneClientThatSignsTwiceDoesNotCompleteTwoSets) {
  Assumptions active;
  active.threat_model = ThreatModel::active;
  active.corrupt = 0.1;
  for (std::uint32_t clients = 3; clients <= 40; ++clients) {
    const auto parameters = choose_parameters(clients, active);
    if (!parameters) continue;
    EXPECT_GT(2 * parameters->threshold, clients + 1) << clients;
  }
}

}  // namespace
}  // namespace hansa::secure_aggregation
