// Cohort policies: pure, reproducible, and within the candidates.
#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include "server/selection/cohort_policy.h"
#include "server/selection/oort.h"

namespace hansa::server {
namespace {

Candidate candidate(std::string_view name, std::uint64_t examples) {
  Candidate out;
  out.name = name;
  out.examples = examples;
  return out;
}

TEST(CohortPolicy, EveryPolicySelectsTheWantedNumberTheSameWayEachTime) {
  std::vector<std::string> names;
  for (int i = 10; i < 60; ++i) names.push_back("client-" + std::to_string(i));
  std::vector<Candidate> candidates;
  for (const auto& name : names) candidates.push_back(candidate(name, 10 + candidates.size()));
  for (const std::string_view policy_name : cohort_policy_names) {
    SCOPED_TRACE(policy_name);
    const auto policy = make_cohort_policy({std::string(policy_name)});
    ASSERT_TRUE(policy);
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, candidates.size()})
      for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto selected = (*policy)->select(candidates, size, RoundId(4), seed);
        ASSERT_EQ(selected.size(), size);
        EXPECT_TRUE(std::is_sorted(selected.begin(), selected.end()));
        EXPECT_EQ(std::adjacent_find(selected.begin(), selected.end()), selected.end()) << "twice";
        EXPECT_LT(selected.back(), candidates.size());
        EXPECT_EQ(selected, (*policy)->select(candidates, size, RoundId(4), seed));
      }
  }
}

TEST(CohortPolicy, UniformSelectsEachClientAboutAsOften) {
  std::vector<std::string> names{"a", "b", "c", "d", "e"};
  std::vector<Candidate> candidates;
  for (const auto& name : names) candidates.push_back(candidate(name, 1));
  const auto policy = make_cohort_policy({"uniform"});
  std::array<int, 5> times{};
  for (std::uint64_t seed = 0; seed < 5'000; ++seed)
    for (const std::size_t i : (*policy)->select(candidates, 2, RoundId(4), seed)) ++times.at(i);
  for (const int count : times) EXPECT_NEAR(count, 2'000, 200);
}

// Each client is as likely as its part of the examples, if one is selected.
TEST(CohortPolicy, ByExamplesSelectsInProportionToTheExamples) {
  const std::vector<std::string> names{"a", "b", "c"};
  std::vector<Candidate> candidates{candidate(names[0], 100), candidate(names[1], 300),
                                    candidate(names[2], 600)};
  const auto policy = make_cohort_policy({"by_examples"});
  std::array<int, 3> times{};
  for (std::uint64_t seed = 0; seed < 10'000; ++seed)
    for (const std::size_t i : (*policy)->select(candidates, 1, RoundId(1), seed)) ++times.at(i);
  EXPECT_NEAR(times[0], 1'000, 150);
  EXPECT_NEAR(times[1], 3'000, 250);
  EXPECT_NEAR(times[2], 6'000, 250);
}

TEST(CohortPolicy, NewDataPrefersTheClientsThatHaveMost) {
  const std::vector<std::string> names{"a", "b", "c", "d", "e"};
  std::vector<Candidate> candidates;
  for (const auto& name : names) candidates.push_back(candidate(name, 100));
  candidates[3].new_examples = 7;
  candidates[1].new_examples = 3;
  const auto policy = make_cohort_policy({"new_data"});
  std::array<int, 5> third{};
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    EXPECT_EQ((*policy)->select(candidates, 1, RoundId(1), seed), std::vector<std::size_t>{3});
    const auto three = (*policy)->select(candidates, 3, RoundId(1), seed);
    for (const std::size_t i : three) ++third.at(i);
  }
  EXPECT_EQ(third[1], 300);
  EXPECT_EQ(third[3], 300);
  for (const int other : {0, 2, 4}) EXPECT_NEAR(third.at(static_cast<std::size_t>(other)), 100, 40);
}

TEST(CohortPolicy, PowerOfChoiceTakesTheHighestLossesOfThoseThatAreDrawn) {
  std::vector<std::string> names;
  for (int i = 10; i < 30; ++i) names.push_back("client-" + std::to_string(i));
  std::vector<Candidate> candidates;
  for (const auto& name : names) {
    candidates.push_back(candidate(name, 50));
    candidates.back().loss = static_cast<double>(candidates.size());
  }
  SelectionConfig config{"power_of_choice"};
  config.candidates = 5;
  const auto all = make_cohort_policy(config);
  EXPECT_EQ((*all)->select(candidates, 4, RoundId(2), 1), (std::vector<std::size_t>{16, 17, 18, 19}));
  config.candidates = 1;  // uniform, if all have as many examples
  const auto none = make_cohort_policy(config);
  std::array<int, 20> times{};
  for (std::uint64_t seed = 0; seed < 4'000; ++seed)
    for (const std::size_t i : (*none)->select(candidates, 1, RoundId(2), seed)) ++times.at(i);
  for (const int count : times) EXPECT_NEAR(count, 200, 60);
  // Whoever has never reported a loss comes first.
  candidates[3].loss.reset();
  EXPECT_EQ((*all)->select(candidates, 1, RoundId(2), 1).size(), 1U);
  config.candidates = 20;
  EXPECT_EQ((*make_cohort_policy(config))->select(candidates, 1, RoundId(2), 1), std::vector<std::size_t>{3});
}

class OortTest : public ::testing::Test {
 protected:
  OortTest() {
    for (int i = 10; i < 50; ++i) names_.push_back("client-" + std::to_string(i));
    for (const auto& name : names_) {
      candidates_.push_back(candidate(name, 100));
      candidates_.back().rounds_counted = 1;
      candidates_.back().last_selected = RoundId(1);
      candidates_.back().loss = 1;
      candidates_.back().round_seconds = 10;
    }
  }
  std::vector<std::string> names_;
  std::vector<Candidate> candidates_;
  SelectionConfig config_{"oort"};
};

TEST_F(OortTest, AHighLossRaisesTheUtilityAndASlowClientLosesIt) {
  for (std::size_t i = 0; i < 5; ++i) candidates_[i].loss = 3;  // more than one in twenty: it is not clipped
  candidates_[6].loss = 3;
  candidates_[6].round_seconds = 20;
  const auto utilities = Oort(config_).utilities(candidates_, RoundId(10));
  EXPECT_GT(utilities[4], utilities[5]);
  EXPECT_NEAR(utilities[6], utilities[4] / 4, 1e-12);  // (10 / 20)^2
}

TEST_F(OortTest, OneClientThatClaimsAHugeLossIsWorthNoMoreThanTheHighestUsualOne) {
  for (std::size_t i = 0; i < candidates_.size(); ++i) candidates_[i].loss = 1 + static_cast<double>(i) / 40;
  candidates_[0].loss = 1e300;
  const auto utilities = Oort(config_).utilities(candidates_, RoundId(10));
  EXPECT_LE(utilities[0], *std::ranges::max_element(utilities));
  EXPECT_LT(utilities[0], 2);
}

TEST_F(OortTest, ALongAbsenceRaisesTheUtility) {
  candidates_[2].last_selected = RoundId(9);
  const auto utilities = Oort(config_).utilities(candidates_, RoundId(10));
  EXPECT_LT(utilities[2], utilities[3]);
}

TEST_F(OortTest, ExploresClientsThatWereNeverCountedLessAndLess) {
  for (std::size_t i = 0; i < 20; ++i) {
    candidates_[i].rounds_counted = 0;
    candidates_[i].loss.reset();
  }
  const Oort oort(config_);
  EXPECT_EQ(oort.explorers(10, RoundId(1)), 9U);
  EXPECT_EQ(oort.explorers(10, RoundId(1'000)), 3U);
  const auto of_unknown = [&](RoundId round) {
    std::size_t out = 0;
    for (const std::size_t i : oort.select(candidates_, 10, round, 3)) out += i < 20 ? 1 : 0;
    return out;
  };
  EXPECT_EQ(of_unknown(RoundId(1)), 9U);
  EXPECT_EQ(of_unknown(RoundId(1'000)), 3U);
}

TEST(CohortPolicy, AnUnknownNameIsAnErrorThatNamesTheKnownOnes) {
  const auto policy = make_cohort_policy({"no-such"});
  ASSERT_FALSE(policy);
  EXPECT_NE(policy.error().hint.find("uniform"), std::string::npos);
}

}  // namespace
}  // namespace hansa::server
