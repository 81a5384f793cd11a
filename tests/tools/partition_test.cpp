#include "tools/partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/temporary_folder.h"

namespace hansa::tools {
namespace {

using ::testing::HasSubstr;

// 6,000 examples with 10 labels, mixed.
std::vector<std::uint8_t> ten_labels() {
  std::vector<std::uint8_t> out;
  for (std::uint32_t i = 0; i < 6'000; ++i) out.push_back(static_cast<std::uint8_t>((i * 7 + i / 10) % 10));
  return out;
}

std::vector<PartitionPlan> plans() {
  std::vector<PartitionPlan> out;
  for (const std::uint32_t clients : {1U, 3U, 10U, 37U}) {
    PartitionPlan plan;
    plan.clients = clients;
    plan.kind = PartitionKind::iid;
    out.push_back(plan);
    plan.kind = PartitionKind::dirichlet;
    for (const double alpha : {0.3, 1.0, 100.0}) {
      plan.alpha = alpha;
      out.push_back(plan);
    }
    plan.kind = PartitionKind::labels_per_client;
    for (const std::uint32_t count : {4U, 10U}) {
      plan.labels_per_client = count;
      if (clients * count >= 10) out.push_back(plan);
    }
    plan.kind = PartitionKind::random_labels;
    for (const std::uint32_t count : {1U, 3U, 10U}) {
      plan.labels_per_client = count;
      if (clients >= 10) out.push_back(plan);
    }
  }
  return out;
}

std::string plan_text(const PartitionPlan& plan) {
  return "kind " + std::to_string(static_cast<int>(plan.kind)) + ", clients " + std::to_string(plan.clients) +
         ", alpha " + std::to_string(plan.alpha) + ", labels per client " +
         std::to_string(plan.labels_per_client);
}

TEST(Partition, EveryExampleGoesToExactlyOneClient) {
  const auto labels = ten_labels();
  for (const auto& plan : plans()) {
    const auto shards = partition(labels, plan);
    ASSERT_TRUE(shards) << plan_text(plan) << ": " << shards.error().text();
    ASSERT_EQ(shards->size(), plan.clients);
    std::vector<int> seen(labels.size(), 0);
    for (const auto& shard : *shards) {
      EXPECT_FALSE(shard.empty()) << plan_text(plan);
      for (const std::uint32_t example : shard) ++seen.at(example);
    }
    EXPECT_TRUE(std::ranges::all_of(seen, [](int n) { return n == 1; })) << plan_text(plan);
  }
}

TEST(Partition, TheSeedDecidesTheShards) {
  const auto labels = ten_labels();
  for (auto plan : plans()) {
    const Shards first = partition(labels, plan).value();
    EXPECT_EQ(partition(labels, plan).value(), first) << plan_text(plan);
    plan.seed = 2;
    EXPECT_NE(partition(labels, plan).value(), first) << plan_text(plan);
  }
}

TEST(Partition, IidShardsDifferInSizeByOneAtMost) {
  PartitionPlan plan;
  plan.clients = 7;
  const Shards shards = partition(ten_labels(), plan).value();
  const auto [least, most] = std::ranges::minmax_element(shards, {}, [](const auto& s) { return s.size(); });
  EXPECT_LE(most->size() - least->size(), 1U);
}

// Mean over clients of the distance (half of L1) between the client's distribution of labels and the uniform one.
double skew(std::span<const std::uint8_t> labels, const Shards& shards) {
  double sum = 0;
  for (const auto& counts : count_labels(labels, shards)) {
    double total = 0;
    for (const auto count : counts) total += static_cast<double>(count);
    for (const auto count : counts)
      sum += std::abs(static_cast<double>(count) / total - 1.0 / static_cast<double>(counts.size())) / 2;
  }
  return sum / static_cast<double>(shards.size());
}

TEST(Partition, DirichletSkewGrowsAsAlphaFalls) {
  const auto labels = ten_labels();
  double before = 0;
  for (const double alpha : {100.0, 10.0, 1.0, 0.1}) {
    double sum = 0;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      PartitionPlan plan;
      plan.kind = PartitionKind::dirichlet;
      plan.alpha = alpha;
      plan.seed = seed;
      sum += skew(labels, partition(labels, plan).value());
    }
    EXPECT_GT(sum / 5, before * 1.3) << "alpha " << alpha;
    before = sum / 5;
  }
  EXPECT_GT(before, 0.6);
}

TEST(Partition, DirichletGivesEachClientAtLeastTheMinimum) {
  PartitionPlan plan;
  plan.kind = PartitionKind::dirichlet;
  plan.alpha = 0.1;
  plan.examples_min = 25;
  for (plan.seed = 1; plan.seed <= 10; ++plan.seed) {
    const Shards shards = partition(ten_labels(), plan).value();
    for (const auto& shard : shards) EXPECT_GE(shard.size(), 25U);
  }
}

// Gamma values for this alpha are zero in double precision: fractions of 0/0 must not lose examples.
TEST(Partition, DirichletOfATinyAlphaGivesEachLabelToOneClient) {
  PartitionPlan plan;
  plan.kind = PartitionKind::dirichlet;
  plan.alpha = 1e-9;
  plan.clients = 2;
  const auto labels = ten_labels();
  const Shards shards = partition(labels, plan).value();
  EXPECT_EQ(shards[0].size() + shards[1].size(), labels.size());
  const auto counts = count_labels(labels, shards);
  for (std::size_t l = 0; l < 10; ++l) EXPECT_TRUE(counts[0][l] == 0 || counts[1][l] == 0) << "label " << l;
}

TEST(Partition, EachClientHasExactlyKLabels) {
  const auto labels = ten_labels();
  for (const PartitionKind kind : {PartitionKind::labels_per_client, PartitionKind::random_labels}) {
    for (const std::uint32_t count : {1U, 2U, 3U, 9U}) {
      PartitionPlan plan;
      plan.kind = kind;
      plan.labels_per_client = count;
      plan.clients = 23;
      for (const auto& of_client : count_labels(labels, partition(labels, plan).value()))
        EXPECT_EQ(std::ranges::count_if(of_client, [](auto n) { return n > 0; }), count);
    }
  }
}

// How many clients have each of the ten labels.
std::vector<std::size_t> clients_of_labels(const PartitionPlan& plan) {
  const auto labels = ten_labels();
  std::vector<std::size_t> out(10);
  for (const auto& of_client : count_labels(labels, partition(labels, plan).value()))
    for (std::size_t l = 0; l < out.size(); ++l) out[l] += of_client[l] > 0 ? 1 : 0;
  return out;
}

TEST(Partition, LabelsHaveEquallyManyClientsOrTheOneInTurnAndRandomOnes) {
  PartitionPlan plan;
  plan.labels_per_client = 3;
  std::set<std::size_t> numbers;
  for (plan.seed = 1; plan.seed <= 10; ++plan.seed) {
    plan.kind = PartitionKind::labels_per_client;
    EXPECT_EQ(clients_of_labels(plan), std::vector<std::size_t>(10, 3));
    plan.kind = PartitionKind::random_labels;
    const auto counts = count_labels(ten_labels(), partition(ten_labels(), plan).value());
    for (std::size_t c = 0; c < 10; ++c) EXPECT_GT(counts[c][c], 0U);
    for (const std::size_t n : clients_of_labels(plan)) numbers.insert(n);
  }
  EXPECT_TRUE(numbers.contains(1) && *numbers.rbegin() >= 5) << "labels with few clients and with many";
}

TEST(Partition, ImpossiblePlansAreRefusedNamingTheOption) {
  struct Case {
    PartitionPlan plan;
    const char* option;
  };
  const auto even = [](std::uint32_t clients) { return PartitionPlan{.clients = clients}; };
  const auto dirichlet = [](std::uint32_t clients, double alpha) {
    return PartitionPlan{.kind = PartitionKind::dirichlet, .clients = clients, .alpha = alpha};
  };
  const auto with_labels = [](PartitionKind kind, std::uint32_t clients, std::uint32_t count) {
    return PartitionPlan{.kind = kind, .clients = clients, .labels_per_client = count};
  };
  constexpr auto each = PartitionKind::labels_per_client, random = PartitionKind::random_labels;
  const std::uint32_t clients = PartitionPlan{}.clients;
  const double alpha = PartitionPlan{}.alpha;
  const auto labels = ten_labels();
  for (const auto& [plan, option] :
       {Case{even(0), "--clients"}, Case{even(6'001), "--clients"},
        Case{dirichlet(clients, 0), "--dirichlet"}, Case{dirichlet(601, alpha), "--clients"},
        Case{dirichlet(11, 1e-9), "--dirichlet"}, Case{with_labels(each, clients, 11), "--labels-per-client"},
        Case{with_labels(each, 3, 3), "--labels-per-client"},
        Case{with_labels(random, clients, 11), "--random-labels"},
        Case{with_labels(random, 9, 1), "--random-labels"},
        Case{with_labels(random, 6, 2), "--random-labels"}, Case{with_labels(each, 601, 10), "--clients"}}) {
    const auto shards = partition(labels, plan);
    ASSERT_FALSE(shards) << plan_text(plan);
    EXPECT_EQ(shards.error().location, option) << plan_text(plan);
    EXPECT_EQ(shards.error().code, ErrorCode::usage);
  }
}

TEST(Partition, WrittenShardsHoldTheExamplesAndTheirLabels) {
  learning::IdxPair data{{{40, 2, 3}, {}}, {{40}, {}}};
  for (std::uint32_t i = 0; i < 40; ++i) {
    for (std::uint32_t p = 0; p < 6; ++p) data.images.values.push_back(static_cast<std::uint8_t>(i * 6 + p));
    data.labels.values.push_back(static_cast<std::uint8_t>(i % 4));
  }
  PartitionPlan plan;
  plan.clients = 3;
  const Shards shards = partition(data.labels.values, plan).value();
  const TemporaryFolder folder;
  ASSERT_TRUE(write_shards(data, shards, folder.path()));
  for (std::uint32_t c = 0; c < 3; ++c) {
    const auto client = folder.path() / client_name(c, 3);
    const auto back = learning::read_idx_pair({client / "images.idx", client / "labels.idx"}).value();
    ASSERT_EQ(back.images.example_count(), shards[c].size());
    for (std::size_t i = 0; i < shards[c].size(); ++i) {
      EXPECT_TRUE(std::ranges::equal(back.images.example(i), data.images.example(shards[c][i])));
      EXPECT_EQ(back.labels.values[i], data.labels.values[shards[c][i]]);
    }
  }
}

TEST(ClientName, HasTheNumberOfDigitsOfTheLargest) {
  EXPECT_EQ(client_name(0, 10), "client-01");
  EXPECT_EQ(client_name(99, 100), "client-100");
  EXPECT_EQ(client_name(6, 1'000), "client-0007");
}

}  // namespace
}  // namespace hansa::tools
