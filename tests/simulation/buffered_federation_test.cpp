// Buffered aggregation in whole federations on a virtual clock: without faults, with clients of different speeds, and with
// every fault at the same time.
#include <algorithm>
#include <cstdlib>
#include <map>

#include <gtest/gtest.h>

#include "tests/simulation/any_order.h"
#include "tests/simulation/faulty_worlds.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/world.h"

namespace hansa::testing {
namespace {

using server::BufferedConfig;

World buffered_world(std::uint32_t updates = 3) {
  World world;
  world.options.rounds = 8;
  world.options.buffered = BufferedConfig{};
  world.options.buffered->updates = updates;
  give_speeds(world, 1);
  return world;
}

void expect_sound(const World& world) {
  expect_all_rounds(world);
  EXPECT_EQ(check_buffered_models(world), "");
}

std::map<std::string, int> arrivals_by_client(const World& world) {
  std::map<std::string, int> out;
  for (const auto& record : world.disk->rounds)
    for (const auto& arrival : record.arrivals) ++out[arrival.client];
  return out;
}

TEST(BufferedFederation, EveryModelIsTheExactSumOfKUpdatesByTheirStaleness) {
  World world = buffered_world();
  world.run();
  expect_sound(world);
  std::uint32_t most = 0;
  for (const auto& record : world.disk->rounds)
    for (const auto& arrival : record.arrivals) most = std::max(most, arrival.staleness);
  EXPECT_GT(most, 0U) << "no update was stale, so that this test shows nothing";
}

TEST(BufferedFederation, AFastClientHasMoreUpdatesAndASlowOneDelaysNobody) {
  World world = buffered_world();
  world.options.equip = [](simulation::ClientSetup& client) {
    const bool is_slow = client.name == "client-100";
    client.training_takes = [is_slow] { return Duration(std::chrono::seconds(is_slow ? 100 : 10)); };
  };
  world.options.rounds = 16;
  world.run();
  expect_sound(world);
  const auto arrivals = arrivals_by_client(world);
  EXPECT_EQ(arrivals.count("client-100"), 1U);
  EXPECT_GT(arrivals.at("client-101"), 3 * arrivals.at("client-100"));
  EXPECT_LT(world.outcome->virtual_time, std::chrono::seconds(16 * 10 + 60));
}

TEST(BufferedFederation, ABufferMayHaveMoreUpdatesThanThereAreClients) {
  World world = buffered_world(12);
  world.options.clients = 2;
  world.options.rounds = 3;
  world.run();
  expect_sound(world);
  for (const auto& record : world.disk->rounds) EXPECT_LE(record.participations.size(), 2U);
}

TEST(BufferedFederation, UpdatesMayCountByTheirExamples) {
  World world = buffered_world();
  world.options.buffered->weights = BufferedConfig::Weights::examples;
  world.run();
  expect_sound(world);
}

TEST(BufferedFederation, AnUpdateThatIsTooStaleIsDroppedAndItsClientReportedOnce) {
  World world = buffered_world(2);
  world.options.buffered->staleness_max = 1;
  world.options.equip = [](simulation::ClientSetup& client) {
    const bool is_slow = client.name == "client-100";
    client.training_takes = [is_slow] { return Duration(std::chrono::seconds(is_slow ? 300 : 10)); };
  };
  world.options.rounds = 30;
  world.run();
  expect_sound(world);
  EXPECT_EQ(arrivals_by_client(world).count("client-100"), 0U);
  EXPECT_EQ(
      std::ranges::count_if(
          world.log, [](const std::string& line) { return line.find("client-100 gets a new task") == 0; }),
      1);
}

TEST(BufferedFederation, OnlyAsManyClientsTrainAsConcurrencyAllows) {
  World world = buffered_world();
  world.options.clients = 8;
  world.options.buffered->concurrency = 2;
  world.options.rounds = 12;
  world.run();
  expect_sound(world);
  EXPECT_GT(arrivals_by_client(world).size(), 4U) << "others are selected from time to time";
  // Two clients at a time, with less than one update in 10 s each on average if all were fast.
  World all = buffered_world();
  all.options.clients = 8;
  all.options.rounds = 12;
  all.run();
  EXPECT_LT(all.outcome->virtual_time, world.outcome->virtual_time);
}

TEST(BufferedFederation, TheSameSeedGivesTheSameModelForAnyThreads) {
  expect_same_model_in_any_order([] { return buffered_world(); }, {1, 4}, 5, expect_sound);
}

TEST(BufferedFederation, UpdatesAndModelsMayBeEncoded) {
  for (const char* uplink : {"", "f16", "q2-rotated", "topk(0.05, q4)", "randk(0.2, q8)", "sign"}) {
    for (const char* downlink : {"", "q4-rotated", "topk(0.1, q4)"}) {
      SCOPED_TRACE(std::string(uplink) + ", " + downlink);
      World world = buffered_world();
      world.options.uplink = uplink;
      world.options.downlink = downlink;
      world.options.full_every = 5;
      world.run();
      expect_sound(world);
    }
  }
}

// A record has what was measured of the model before it.
TEST(BufferedFederation, OnlyWhatIsMeasuredOnTheNewestModelIsRecorded) {
  World world = buffered_world();
  world.options.client_evaluation = server::ClientEvaluation{0.2, 1};
  world.run();
  expect_sound(world);
  int measured = 0, stale = 0;
  for (const auto& record : world.disk->rounds) {
    for (const auto& p : record.participations) {
      const bool has_measured = mean_of(p.metrics, "held_out_loss").has_value();
      const bool on_newest = std::ranges::any_of(record.arrivals, [&](const server::Arrival& a) {
        return a.client == p.client && a.base.value + 1 == record.round.value && a.task == 0;
      });
      EXPECT_EQ(has_measured, on_newest && p.outcome == server::Outcome::counted)
          << p.client << " in round " << record.round.value;
      ++(has_measured ? measured : stale);
    }
  }
  EXPECT_GT(measured, 0);
  EXPECT_GT(stale, 0) << "this test shows nothing";
}

// A few hundred worlds, each with different rates of every fault.
class FaultyBufferedFederation : public ::testing::TestWithParam<int> {};

World faulty_world(std::uint64_t seed) {
  World world;
  Random random(derive_seed(seed, "faulty buffered world"));
  auto& o = world.options;
  o.seed = seed;
  o.clients = static_cast<std::uint32_t>(2 + random.below(7));
  o.rounds = static_cast<std::uint32_t>(3 + random.below(6));
  o.clients_min = static_cast<std::uint32_t>(1 + random.below(o.clients));
  o.buffered = BufferedConfig{};
  o.buffered->updates = static_cast<std::uint32_t>(1 + random.below(2 * o.clients));
  o.buffered->staleness_max = static_cast<std::uint32_t>(random.below(8));
  o.buffered->concurrency = random.chance(0.6) ? 0 : static_cast<std::uint32_t>(1 + random.below(o.clients));
  if (random.chance(0.3)) o.buffered->weights = BufferedConfig::Weights::examples;
  o.elements = 1 + random.below(1500);
  draw_faults(o, random,
              {.lose = 0.05,
               .duplicate = 0.1,
               .overtake = 0.1,
               .cut = 0.02,
               .crash = 0.01,
               .crashes = 30,
               .latency_ms = 3000});
  constexpr const char* uplinks[] = {"", "", "q8", "q2-rotated", "randk(0.3, q4)"};
  constexpr const char* downlinks[] = {"", "q4-rotated", "q8", "topk(0.2, q4)"};
  o.uplink = uplinks[random.below(std::size(uplinks))];
  o.downlink = downlinks[random.below(std::size(downlinks))];
  o.full_every = static_cast<std::uint32_t>(random.below(4));
  if (random.chance(0.3)) o.optimizer.name = "fedavgm";
  if (random.chance(0.7)) give_speeds(world, 2 * random.uniform());
  return world;
}

TEST_P(FaultyBufferedFederation, CommitsEveryModelExactlyAndCountsNoUpdateTwice) {
  constexpr int worlds_a_test = 25;
  std::uint64_t crashes = 0;
  run_worlds({faulty_world, expect_sound, "FaultyBufferedFederation"},
             static_cast<std::uint64_t>(GetParam() * worlds_a_test), worlds_a_test,
             [&](const World& world) { crashes += world.outcome->crashes; });
  if (std::getenv("HANSA_SIMULATION_SEED") != nullptr) return;
  // The faults must have happened; otherwise this test shows nothing.
  EXPECT_GT(crashes, 10U);
}
INSTANTIATE_TEST_SUITE_P(Seeds, FaultyBufferedFederation, ::testing::Range(0, 12));

TEST(BufferedReplay, SameSeedGivesTheSameRun) { expect_equal_runs(faulty_world(7), faulty_world(7)); }

// The order of the arrivals decides which updates are in which model, and nothing else does.
TEST(BufferedReplay, ACrashBeforeAnyEffectLosesNoModelAndCountsNoUpdateTwice) {
  const auto small = [] {
    World world = buffered_world(2);
    world.options.clients = 3;
    world.options.rounds = 3;
    world.options.elements = 40;
    world.options.optimizer = {"fedavgm", 0.9};
    return world;
  };
  crash_before_effects(small, 1, expect_sound);
}

}  // namespace
}  // namespace hansa::testing
