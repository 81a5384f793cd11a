// Cohort policies: pure, reproducible, and within the candidates.
#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include "server/selection/cohort_policy.h"

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
    const auto policy = make_cohort_policy(policy_name);
    ASSERT_TRUE(policy);
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, candidates.size()})
      for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto selected = (*policy)->select(candidates, size, seed);
        ASSERT_EQ(selected.size(), size);
        EXPECT_TRUE(std::is_sorted(selected.begin(), selected.end()));
        EXPECT_EQ(std::adjacent_find(selected.begin(), selected.end()), selected.end()) << "twice";
        EXPECT_LT(selected.back(), candidates.size());
        EXPECT_EQ(selected, (*policy)->select(candidates, size, seed));
      }
  }
}

TEST(CohortPolicy, UniformSelectsEachClientAboutAsOften) {
  std::vector<std::string> names{"a", "b", "c", "d", "e"};
  std::vector<Candidate> candidates;
  for (const auto& name : names) candidates.push_back(candidate(name, 1));
  const auto policy = make_cohort_policy("uniform");
  std::array<int, 5> times{};
  for (std::uint64_t seed = 0; seed < 5'000; ++seed)
    for (const std::size_t i : (*policy)->select(candidates, 2, seed)) ++times.at(i);
  for (const int count : times) EXPECT_NEAR(count, 2'000, 200);
}

TEST(CohortPolicy, AnUnknownNameIsAnErrorThatNamesTheKnownOnes) {
  const auto policy = make_cohort_policy("no-such");
  ASSERT_FALSE(policy);
  EXPECT_NE(policy.error().hint.find("uniform"), std::string::npos);
}

}  // namespace
}  // namespace hansa::server
