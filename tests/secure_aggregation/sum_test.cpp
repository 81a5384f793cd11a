// Complete secure sums: exact for many seeds, with clients that drop out at any point; refused if too few remain.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/secure_aggregation/cohort.h"

namespace hansa::secure_aggregation {
namespace {

using testing::Cohort;
using testing::Leaves;
using testing::small_setup;
using testing::SumRun;

void expect_exact_or_quorum(const Cohort& cohort, std::uint32_t clients, ThreatModel threat_model,
                            std::uint64_t seed, double leaving, int& exact) {
  Random random(derive_seed(seed, "secure sum"));
  SumRun run(cohort, small_setup(clients, threat_model), seed);
  for (Leaves& leaves : run.leaves)
    if (random.chance(leaving)) leaves = static_cast<Leaves>(random.below(5));
  const auto sum = run.whole(random);
  if (sum) {
    ++exact;
    ASSERT_EQ(*sum, run.plain_sum()) << "seed " << seed;
  } else {
    ASSERT_EQ(sum.error().code, ErrorCode::quorum) << "seed " << seed << ": " << sum.error().text();
  }
}

// Thousands of cohorts on the complete graph.
TEST(SecureSum, IsTheSumOfTheVectorsThatArrived) {
  int exact = 0, runs = 0;
  for (std::uint32_t clients = 3; clients <= 8; ++clients) {
    const Cohort cohort(clients);
    for (std::uint64_t seed = 0; seed < 350; ++seed, ++runs)
      expect_exact_or_quorum(cohort, clients, ThreatModel::honest_but_curious, seed, 0.25, exact);
  }
  EXPECT_GT(exact, runs / 3) << "most cohorts succeed";
  EXPECT_LT(exact, runs) << "and some do not";
}

TEST(SecureSum, IsTheSumInTheActiveThreatModelToo) {
  int exact = 0;
  for (const std::uint32_t clients : {4U, 7U, 12U}) {
    const Cohort cohort(clients);
    for (std::uint64_t seed = 0; seed < 100; ++seed)
      expect_exact_or_quorum(cohort, clients, ThreatModel::active, seed, 0.15, exact);
  }
  EXPECT_GT(exact, 100);
}

TEST(SecureSum, IsTheSumOnARegularGraph) {
  const Cohort cohort(80);
  int exact = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed)
    expect_exact_or_quorum(cohort, 80, ThreatModel::honest_but_curious, seed, 0.1, exact);
  EXPECT_GT(exact, 3);
}

TEST(SecureSum, ClientsMayDropOutAtEachPhaseUpToTheThreshold) {
  const std::uint32_t clients = 10;
  const Cohort cohort(clients);
  for (const Leaves phase :
       {Leaves::before_keys, Leaves::before_shares, Leaves::before_masked, Leaves::before_answer}) {
    for (std::uint32_t leaving = 0; leaving <= clients; ++leaving) {
      Random random(leaving);
      SumRun run(cohort, small_setup(clients), leaving);
      for (std::uint32_t i = 0; i < leaving; ++i) run.leaves[i] = phase;
      const auto sum = run.whole(random);
      // t is chosen from the roster: a client that drops out before the roster is fixed makes the cohort smaller.
      const std::uint32_t rest = clients - leaving;
      const bool enough = phase == Leaves::before_keys ? rest >= clients_min : rest >= clients / 2 + 1;
      ASSERT_EQ(sum.has_value(), enough) << "phase " << static_cast<int>(phase) << ", " << leaving << " leave"
                                         << (sum ? "" : ": " + sum.error().text());
      if (sum) {
        EXPECT_EQ(*sum, run.plain_sum());
      }
    }
  }
}

TEST(SecureSum, PartialSumsCanBeAddedLater) {
  const Cohort cohort(6);
  Random random(1);
  SumRun run(cohort, small_setup(6));
  run.leaves[4] = Leaves::before_masked;
  ASSERT_TRUE(run.adverts(random));
  ASSERT_TRUE(run.shares(random));
  const auto empty = [&] {
    return MaskedSum(run.aggregator.context(), 6, SumRun::elements, run.setup.quantisation.ring_bits);
  };
  MaskedSum near = empty(), far = empty();
  for (const std::size_t i : {0, 1, 2, 3, 5}) {
    ASSERT_TRUE(run.aggregator.on_masked(run.at(i)));
    ASSERT_TRUE((i < 3 ? near : far).add(run.at(i), *run.masked_vector(i)));
  }
  ASSERT_TRUE(run.aggregator.fix_survivors());
  const auto arrived = MaskedSum::decode(far.encode());
  ASSERT_TRUE(arrived) << arrived.error().text();
  ASSERT_TRUE(near.add(*arrived));
  EXPECT_FALSE(near.add(*arrived)) << "a client is in a sum once";
  EXPECT_EQ(near.contributors(), run.aggregator.survivors());
  ASSERT_TRUE(run.answers(random));
  const auto plain = near.unmask(*open_masks(run.aggregator.revealed(), OpeningEffort::all).terms, 1);
  ASSERT_TRUE(plain);
  EXPECT_TRUE(std::ranges::equal(*plain, run.plain_sum()));
}

TEST(SecureSum, AMaskedVectorThatIsSentAgainIsTheSame) {
  const Cohort cohort(4);
  Random random(1);
  SumRun run(cohort, small_setup(4));
  ASSERT_TRUE(run.adverts(random));
  ASSERT_TRUE(run.shares(random));
  EXPECT_EQ(*run.masked_vector(0), *run.masked_vector(0));
  EXPECT_NE(*run.masked_vector(0), *run.masked_vector(1));
}

// A chi-square test over bytes: to the aggregator, a masked constant vector looks like noise.
TEST(SecureSum, AMaskedVectorIsUniform) {
  const Cohort cohort(3);
  Random random(1);
  SumSetup setup = small_setup(3);
  setup.quantisation.ring_bits = 16;
  SumRun run(cohort, setup);
  ASSERT_TRUE(run.adverts(random));
  ASSERT_TRUE(run.shares(random));
  std::vector<std::uint32_t> values(200'000, 7);
  ASSERT_TRUE(apply_masks(values, *run.clients[1].mask_terms(), 16));
  std::array<double, 512> counts{};
  for (const std::uint32_t value : values) {
    ++counts[value & 255];
    ++counts[256 + (value >> 8)];
  }
  for (const int half : {0, 256}) {
    const double expected = static_cast<double>(values.size()) / 256;
    double chi = 0;
    for (int i = 0; i < 256; ++i) chi += std::pow(counts[half + i] - expected, 2) / expected;
    // 255 degrees of freedom: mean 255, standard deviation 22.6. More than seven deviations occur once in 10^9 runs.
    EXPECT_GT(chi, 255 - 7 * 22.6);
    EXPECT_LT(chi, 255 + 7 * 22.6);
  }
}

}  // namespace
}  // namespace hansa::secure_aggregation
