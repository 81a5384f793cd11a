// Clients of secure sums that lie about shares or send vectors that are no updates: rounds are committed nevertheless,
// and whoever is blamed deserves it.
#include <algorithm>

#include <gtest/gtest.h>

#include "server/selection/contradictions.h"
#include "server/selection/culprit_search.h"
#include "tests/coordinator/lying_devices.h"

namespace hansa::server::testing {
namespace {

using secure_aggregation::ThreatModel;

void expect_only_left_out(const LyingDevices& f, const std::set<std::string>& liars) {
  for (const auto& [client, times] : f.left_out)
    EXPECT_TRUE(liars.contains(client)) << client << " is honest\n" << f.log();
}

TEST(AdversaryShareholders, WrongSharesByTwoOfTenCostNoAttemptAndAreNamed) {
  for (const ThreatModel model : {ThreatModel::honest_but_curious, ThreatModel::active}) {
    LyingDevices f(secure_config(10), 10, {{"c00", Lie::reveals_garbage}, {"c07", Lie::reveals_garbage}},
                   model);
    f.run(30, 60);
    EXPECT_EQ(f.rounds(), 30U) << f.log();
    EXPECT_EQ(f.attempts, 30U) << f.log();
    EXPECT_GE(f.left_out["c00"], 1U) << f.log();
    EXPECT_GE(f.left_out["c07"], 1U) << f.log();
    expect_only_left_out(f, {"c00", "c07"});
    EXPECT_TRUE(f.logged("c00 is left out of cohorts for"));
    EXPECT_TRUE(std::ranges::any_of(f.h->committed[0].participations, [](const Participation& p) {
      return p.client == "c00" && p.reason.find("contradicts 9 clients") != p.reason.npos;
    })) << "in the round's record";
  }
}

TEST(AdversaryShareholders, WrongSharesByTwoOfThirtyTwoCostNoAttempt) {
  LyingDevices f(secure_config(32), 32, {{"c03", Lie::reveals_garbage}, {"c30", Lie::reveals_garbage}});
  f.run(4, 8);
  EXPECT_EQ(f.rounds(), 4U) << f.log();
  EXPECT_EQ(f.attempts, 4U) << f.log();
  expect_only_left_out(f, {"c03", "c30"});
}

TEST(AdversaryShareholders, ALiarAndASilentSurvivorTogetherDoNotPreventUnmasking) {
  LyingDevices f(secure_config(10), 10, {{"c01", Lie::reveals_garbage}, {"c02", Lie::reveals_nothing}});
  f.run(20, 25);
  EXPECT_EQ(f.rounds(), 20U) << f.log();
  EXPECT_EQ(f.attempts, 20U);
  expect_only_left_out(f, {"c01", "c02"});
}

TEST(AdversaryGarbageShares, TheirSenderIsLeftOutAndTheRunContinues) {
  LyingDevices f(secure_config(10), 10, {{"c04", Lie::deals_garbage}, {"c05", Lie::deals_garbage}});
  f.run(30, 60);
  EXPECT_EQ(f.rounds(), 30U) << f.log();
  EXPECT_LE(f.attempts, 36U);
  EXPECT_GE(f.left_out["c04"], 1U);
  expect_only_left_out(f, {"c04", "c05"});
}

TEST(AdversaryGarbageShares, OneAccuserIsNotBelievedButTheTwoAreKeptApart) {
  LyingDevices f(secure_config(10), 10, {{"c06", Lie::accuses}});
  f.run(30, 40);
  EXPECT_EQ(f.rounds(), 30U) << f.log();
  EXPECT_EQ(f.left_out["c00"], 0U) << f.log();
  EXPECT_TRUE(f.logged("c06 and c00 contradict each other") || f.logged("c00 and c06 contradict each other"));
  std::set<std::string> seen;
  ASSERT_GT(f.cohorts.size(), 20U);
  for (std::size_t i = 1; i < f.cohorts.size(); ++i) {
    const auto& cohort = f.cohorts[i];
    seen.insert(cohort.begin(), cohort.end());
    // Another accusation is possible: position 0 is c01 where c00 is missing.
    EXPECT_FALSE(cohort.contains("c00") && cohort.contains("c06")) << "attempt " << i;
  }
  EXPECT_TRUE(seen.contains("c00")) << "it has not lost its place for good";
}

TEST(AdversaryBadVector, ASumThatIsRefusedIsSearchedForItsCulprit) {
  for (const auto& lies : {std::map<std::string, Lie>{{"c02", Lie::bad_vector}},
                           std::map<std::string, Lie>{{"c02", Lie::bad_vector}, {"c09", Lie::bad_vector}}}) {
    LyingDevices f(secure_config(10), 10, lies);
    f.run(40, 90);
    EXPECT_TRUE(f.h->finished.empty()) << f.h->finished[0].text << "\n" << f.log();
    EXPECT_EQ(f.rounds(), 40U) << f.log();
    EXPECT_GE(f.left_out["c02"], 1U) << f.log();
    std::set<std::string> liars;
    for (const auto& [client, lie] : lies) liars.insert(client);
    expect_only_left_out(f, liars);
    EXPECT_LE(f.refused_sums, 20U) << f.log();
    RecordProperty("refused_sums_of_" + std::to_string(liars.size()), static_cast<int>(f.refused_sums));
  }
}

TEST(AdversaryBadVector, WithTheFewestClientsTheRunEndsAfterTheAttempts) {
  LyingDevices f(secure_config(3), 3, {{"c02", Lie::bad_vector}});
  f.run(5, 20);
  EXPECT_EQ(f.h->finished.size(), 1U) << "without it there is no secure sum";
  EXPECT_EQ(f.attempts, 3U);
}

// --- The parts ---

TEST(AdversaryContradictions, OnlyOneThatContradictsMoreThanTheCorruptIsNamed) {
  Contradictions c;
  for (const char* other : {"a", "b", "d"}) EXPECT_TRUE(c.add({"liar", other}));
  EXPECT_FALSE(c.add({"a", "liar"})) << "known";
  EXPECT_FALSE(c.add({"a", "a"}));
  EXPECT_EQ(c.beyond(2), std::vector<std::string>{"liar"});
  EXPECT_TRUE(c.beyond(3).empty());
  // With one liar known, one corrupt client is left: who contradicts two is it.
  c.add({"second", "a"});
  c.add({"second", "b"});
  EXPECT_EQ(c.beyond(2), (std::vector<std::string>{"liar", "second"}));
  c.forget("liar");
  EXPECT_EQ(c.count("a"), 1U);
}

TEST(AdversaryContradictions, ClientsAreKeptApartWhereTheLeastAllowsIt) {
  Contradictions c;
  c.add({"a", "b"});
  c.add({"a", "c"});
  const std::vector<std::string> all{"a", "b", "c", "d"};
  EXPECT_EQ(c.keep_apart(all, 3, 1), (std::vector<std::string>{"b", "c", "d"})) << "a contradicts the most";
  EXPECT_EQ(c.keep_apart(all, 4, 1), all);
  c.forget("a");
  c.add({"b", "c"});
  std::set<std::string> missing;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto kept = c.keep_apart(all, 2, seed);
    ASSERT_EQ(kept.size(), 3U);
    for (const std::string& client : all)
      if (!std::ranges::binary_search(kept, client)) missing.insert(client);
  }
  EXPECT_EQ(missing, (std::set<std::string>{"b", "c"})) << "now the one, now the other";
}

struct Outcome {
  std::set<std::string> found;
  int refused = 0, in_a_row_most = 0, in_vain = 0, committed = 0;
};

Outcome search(std::uint32_t clients, const std::set<std::string>& culprits, std::size_t least,
               std::uint64_t seed) {
  CulpritSearch search(seed);
  std::vector<std::string> all;
  for (std::uint32_t i = 0; i < clients; ++i) all.push_back("c" + std::to_string(1'000 + i));
  Outcome out;
  int in_a_row = 0;
  for (int attempt = 0; attempt < 400 && out.in_vain < 5; ++attempt) {
    std::vector<std::string> candidates;
    for (const std::string& client : all)
      if (!out.found.contains(client)) candidates.push_back(client);
    auto cohort = search.is_active() ? search.next(candidates, least, candidates.size()) : candidates;
    if (cohort.empty()) cohort = candidates;
    EXPECT_GE(cohort.size(), least);
    EXPECT_TRUE(std::ranges::is_sorted(cohort));
    const bool bad = std::ranges::any_of(cohort, [&](const auto& c) { return culprits.contains(c); });
    std::optional<std::string> culprit;
    if (bad) {
      ++out.refused;
      out.in_a_row_most = std::max(out.in_a_row_most, ++in_a_row);
      const auto finding = search.on_refused(cohort, least);
      culprit = finding.culprit;
      out.in_vain += finding.is_in_vain ? 1 : 0;
    } else {
      ++out.committed;
      in_a_row = 0;
      culprit = search.on_committed(cohort);
      if (!search.is_active() && cohort.size() == candidates.size()) return out;
    }
    if (culprit) out.found.insert(*culprit);
  }
  ADD_FAILURE() << clients << " clients, " << culprits.size() << " culprits, seed " << seed;
  return out;
}

TEST(AdversaryCulpritSearch, FindsEveryCulpritAndNobodyElse) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    for (const std::uint32_t clients : {4U, 5U, 10U, 32U, 100U, 500U})
      for (const std::size_t culprits : {0U, 1U, 2U}) {
        if (clients < 6 && culprits == 2) continue;
        std::set<std::string> bad;
        while (bad.size() < culprits) bad.insert("c" + std::to_string(1'000 + random.below(clients)));
        const Outcome out = search(clients, bad, 3, seed);
        EXPECT_EQ(out.found, bad) << clients << " clients, seed " << seed;
        EXPECT_LE(out.in_vain, 2) << clients << " clients, seed " << seed;
        // A model has at most eight opened sums.
        EXPECT_LE(out.in_a_row_most, 7) << clients << " clients, seed " << seed;
        EXPECT_LE(out.refused, 4 + static_cast<int>(culprits) * 10);
      }
  }
}

TEST(AdversaryCulpritSearch, ManyCulpritsOfThirtyTwoAreFound) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::set<std::string> bad;
    Random random(seed + 1'000);
    while (bad.size() < 4) bad.insert("c" + std::to_string(1'000 + random.below(32)));
    const Outcome out = search(32, bad, 3, seed);
    EXPECT_EQ(out.found, bad);
    EXPECT_LE(out.in_a_row_most, 8);
  }
}

TEST(AdversaryCulpritSearch, ASystematicFaultIsInVain) {
  std::set<std::string> all;
  for (int i = 0; i < 8; ++i) all.insert("c" + std::to_string(1'000 + i));
  CulpritSearch search(1);
  const std::vector<std::string> candidates(all.begin(), all.end());
  int in_vain = 0;
  auto cohort = candidates;
  for (int i = 0; i < 40; ++i) {
    in_vain += search.on_refused(cohort, 3).is_in_vain ? 1 : 0;
    cohort = search.next(candidates, 3, 8);
  }
  EXPECT_GE(in_vain, 5);
}

TEST(AdversaryCulpritSearch, ASearchWhoseSuspectsAreGoneEnds) {
  CulpritSearch search(1);
  (void)search.on_refused({"a", "b", "c", "d"}, 3);
  EXPECT_TRUE(search.is_active());
  EXPECT_TRUE(search.next({"w", "x", "y"}, 3, 3).empty());
  EXPECT_FALSE(search.is_active());
}

}  // namespace
}  // namespace hansa::server::testing
