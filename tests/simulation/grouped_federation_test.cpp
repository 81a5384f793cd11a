// Buffered aggregation with secure aggregation in whole federations on a virtual clock: groups with secure sums, with clients
// of different speeds, and with every fault at the same time.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tests/simulation/any_order.h"
#include "tests/simulation/faulty_worlds.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/world.h"

namespace hansa::testing {
namespace {

using secure_aggregation::ThreatModel;
using server::BufferedConfig;

World grouped_world(std::uint32_t clients = 8, std::uint32_t updates = 4) {
  World world;
  world.options.secure = ThreatModel::honest_but_curious;
  world.options.clients = clients;
  world.options.clients_min = updates;
  world.options.rounds = 8;
  world.options.elements = 300;
  world.options.buffered = BufferedConfig{};
  world.options.buffered->updates = updates;
  world.options.buffered->weights = BufferedConfig::Weights::examples;
  give_speeds(world, 0.5);
  return world;
}

void expect_sound(const World& world) {
  expect_all_rounds(world);
  EXPECT_EQ(check_grouped_models(world), "");
  EXPECT_EQ(check_opened_sums(world), "");
}

std::uint32_t most_stale(const World& world) {
  std::uint32_t most = 0;
  for (const auto& record : world.disk->rounds)
    for (const auto& arrival : record.arrivals) most = std::max(most, arrival.staleness);
  return most;
}

TEST(GroupedFederation, EveryModelIsTheExactSumOfOneGroupByItsStaleness) {
  for (const ThreatModel threat_model : {ThreatModel::honest_but_curious, ThreatModel::active}) {
    World world = grouped_world();
    world.options.secure = threat_model;
    world.run();
    expect_sound(world);
    EXPECT_GT(most_stale(world), 0U) << "no sum was stale, so that this test shows nothing";
  }
}

// Without faults a client is in one sum of a model, and each sum that was opened is in a model.
TEST(GroupedFederation, AClientIsInOneSumOfAModel) {
  World world = grouped_world();
  world.options.rounds = 12;
  world.run();
  expect_sound(world);
  std::size_t in_models = 0, opened = 0;
  for (const auto& record : world.disk->rounds) in_models += record.arrivals.size();
  for (const auto& [client, store] : world.opened_sums) {
    std::set<std::string> models;
    const auto sums = store->all().value();
    for (const auto& sum : sums) {
      EXPECT_TRUE(models.insert(sum.model.text()).second) << client << " is in two sums of a model";
      ++opened;
    }
  }
  // Sums that wait when the last round is committed are dropped, and so are those that are being opened.
  EXPECT_GE(opened, in_models);
  EXPECT_LE(opened, in_models + 2 * world.options.buffered->updates);
}

TEST(GroupedFederation, ASlowGroupDelaysNoOther) {
  World world = grouped_world();
  const auto is_slow = [](const std::string& client) { return client < "client-104"; };
  world.options.equip = [is_slow](simulation::ClientSetup& client) {
    const bool slow = is_slow(client.name);
    client.training_takes = [slow] { return Duration(std::chrono::seconds(slow ? 100 : 10)); };
  };
  world.options.rounds = 12;
  world.run();
  expect_sound(world);
  std::size_t of_slow = 0, of_fast = 0;
  for (const auto& record : world.disk->rounds)
    for (const auto& arrival : record.arrivals) ++(is_slow(arrival.client) ? of_slow : of_fast);
  EXPECT_GT(of_slow, 0U);
  EXPECT_GT(of_fast, 4 * of_slow);
  // 12 groups one after the other with one slow client each would take 1,200 s.
  EXPECT_LT(world.outcome->virtual_time, std::chrono::seconds(60 + 300));
}

TEST(GroupedFederation, ClientsThatAreLeftOverAreInTheNextGroup) {
  World world = grouped_world(6);
  world.options.rounds = 12;
  world.run();
  expect_sound(world);
  std::set<std::string> seen;
  for (const auto& record : world.disk->rounds)
    for (const auto& arrival : record.arrivals) seen.insert(arrival.client);
  EXPECT_EQ(seen.size(), 6U);
}

TEST(GroupedFederation, OnlyAsManyClientsTrainAsConcurrencyAllows) {
  World world = grouped_world(9);
  world.options.buffered->concurrency = 7;  // one group of four
  world.options.rounds = 9;
  world.run();
  expect_sound(world);
  EXPECT_EQ(most_stale(world), 0U) << "two groups worked at the same time";
  std::map<std::string, int> sums;
  for (const auto& record : world.disk->rounds)
    for (const auto& arrival : record.arrivals) ++sums[arrival.client];
  EXPECT_EQ(sums.size(), 9U) << "clients take turns";
}

TEST(GroupedFederation, AGroupThatIsTooStaleIsDropped) {
  World world = grouped_world();
  world.options.buffered->staleness_max = 1;
  world.options.equip = [](simulation::ClientSetup& client) {
    const bool is_slow = client.name < "client-104";
    client.training_takes = [is_slow] { return Duration(std::chrono::seconds(is_slow ? 90 : 10)); };
  };
  world.options.rounds = 12;
  world.run();
  expect_sound(world);
  EXPECT_TRUE(std::ranges::any_of(world.log, [](const std::string& line) {
    return line.find("a group of 4 clients is dropped: its group works on a model that is 2 models old") == 0;
  }));
}

TEST(GroupedFederation, TheSameSeedGivesTheSameModelForAnyThreads) {
  expect_same_model_in_any_order([] { return grouped_world(); }, {1, 4}, 3, expect_sound);
}

TEST(GroupedFederation, AFractionOfTheValuesIsSummedAndModelsAreSentAsDeltas) {
  World world = grouped_world();
  world.options.secure_fraction = 0.3;
  world.options.downlink = "q4-rotated";
  world.options.optimizer.name = "fedavgm";
  world.run();
  expect_sound(world);
}

// A record has what was measured of the model before it, and a sum shows the measurements of a model once.
TEST(GroupedFederation, OnlyWhatIsMeasuredOnTheNewestModelIsRecorded) {
  World world = grouped_world();
  world.options.client_evaluation = server::ClientEvaluation{0.2, 1};
  world.options.rounds = 10;
  world.run();
  ASSERT_TRUE(world.outcome.has_value()) << world.outcome.error().text();
  EXPECT_EQ(world.outcome->last_committed.value, world.options.rounds);
  int measured = 0, not_measured = 0;
  for (const auto& record : world.disk->rounds) {
    const auto& first = record.arrivals.front();
    const bool has_measured = mean_of(record.secure->metrics, "held_out_loss").has_value();
    EXPECT_EQ(has_measured, first.staleness == 0 && first.task == 0) << "round " << record.round.value;
    ++(has_measured ? measured : not_measured);
  }
  EXPECT_GT(measured, 0);
  EXPECT_GT(not_measured, 0) << "this test shows nothing";
}

class FaultyGroupedFederation : public ::testing::TestWithParam<int> {};

World faulty_world(std::uint64_t seed) {
  World world;
  Random random(derive_seed(seed, "faulty grouped world"));
  auto& o = world.options;
  o.seed = seed;
  o.secure = random.chance(0.3) ? ThreatModel::active : ThreatModel::honest_but_curious;
  o.buffered = BufferedConfig{};
  o.buffered->weights = BufferedConfig::Weights::examples;
  o.buffered->updates = static_cast<std::uint32_t>(3 + random.below(4));
  o.clients = o.buffered->updates + static_cast<std::uint32_t>(random.below(8));
  o.clients_min =
      o.buffered->updates + static_cast<std::uint32_t>(random.below(o.clients - o.buffered->updates + 1));
  o.buffered->staleness_max = static_cast<std::uint32_t>(random.below(6));
  o.buffered->concurrency =
      random.chance(0.6) ? 0 : o.buffered->updates + static_cast<std::uint32_t>(random.below(o.clients));
  o.rounds = static_cast<std::uint32_t>(2 + random.below(5));
  o.quorum = 0.2 + 0.8 * random.uniform();
  o.elements = 1 + random.below(600);
  draw_faults(o, random,
              {.lose = 0.02,
               .duplicate = 0.1,
               .overtake = 0.05,
               .cut = 0.01,
               .crash = 0.004,
               .crashes = 20,
               .latency_ms = 2000});
  constexpr const char* downlinks[] = {"", "", "q4-rotated", "q8"};
  o.downlink = downlinks[random.below(std::size(downlinks))];
  o.full_every = static_cast<std::uint32_t>(random.below(4));
  if (random.chance(0.3)) o.optimizer.name = "fedavgm";
  // A client that is slower than the deadline of a group could make every group of its federation miss the quorum.
  if (random.chance(0.7)) give_speeds(world, 2 * random.uniform(), 100);
  return world;
}

TEST_P(FaultyGroupedFederation, CommitsEverySumExactlyOnceAndOpensNoTwoThatShowFew) {
  constexpr int worlds_a_test = 20;
  std::uint64_t crashes = 0, recovered = 0, stale = 0;
  run_worlds({faulty_world, expect_sound, "FaultyGroupedFederation"},
             static_cast<std::uint64_t>(GetParam() * worlds_a_test), worlds_a_test, [&](const World& world) {
               crashes += world.outcome->crashes;
               stale += most_stale(world) > 0 ? 1 : 0;
               for (const auto& record : world.disk->rounds)
                 recovered += record.secure ? record.secure->recovered : 0;
             });
  if (std::getenv("HANSA_SIMULATION_SEED") != nullptr) return;
  EXPECT_GT(crashes, 5U) << "faults must have happened";
  EXPECT_GT(recovered, 0U) << "some drop out after they shared their secrets";
  EXPECT_GT(stale, 0U) << "several groups work at the same time";
}
INSTANTIATE_TEST_SUITE_P(Seeds, FaultyGroupedFederation, ::testing::Range(0, 12));

TEST(GroupedReplay, SameSeedGivesTheSameRun) { expect_equal_runs(faulty_world(7), faulty_world(7)); }

TEST(GroupedReplay, ACrashBeforeAnyEffectLosesNoModelAndOpensNoTwoSumsThatShowFew) {
  const auto small = [] {
    World world = grouped_world(6, 3);
    world.options.rounds = 2;
    world.options.elements = 20;
    world.options.chunk_bytes = 2'048;
    return world;
  };
  crash_before_effects(small, 3, expect_sound);
}

}  // namespace
}  // namespace hansa::testing
