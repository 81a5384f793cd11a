// Whole federations on a virtual clock: without faults, and with every fault at the same time.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/simulation/any_order.h"
#include "tests/simulation/faulty_worlds.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/world.h"

namespace hansa::testing {
namespace {

void expect_sound(const World& world) {
  expect_all_rounds(world);
  EXPECT_EQ(check_records(world), "");
  EXPECT_EQ(check_models(world), "");
}

TEST(Federation, WithoutFaultsEveryClientIsCountedInEveryRound) {
  World world;
  world.run();
  expect_sound(world);
  for (const auto& record : world.disk->rounds) {
    EXPECT_EQ(record.attempt, 1U);
    ASSERT_EQ(record.participations.size(), world.options.clients);
    for (const auto& p : record.participations) EXPECT_EQ(p.outcome, server::Outcome::counted) << p.reason;
  }
}

TEST(Federation, TheSameSeedGivesTheSameModelForAnyThreadsAndOrderOfArrival) {
  const auto at_once = [] {
    World world;
    world.options.training_max = {};
    return world;
  };
  expect_same_model_in_any_order(at_once, {0, 1, 4}, 10, expect_sound);
}

TEST(Federation, UpdatesAndModelsAreSentEncodedAndTheSumIsExactlyThatOfTheSentUpdates) {
  for (const char* uplink : {"", "f16", "q4", "q2-rotated", "topk(0.05, q4)", "randk(0.2, q8)", "sign"}) {
    for (const char* downlink : {"", "q4-rotated", "topk(0.1, q4)"}) {
      SCOPED_TRACE(std::string(uplink) + ", " + downlink);
      World plain, world;
      plain.options.rounds = world.options.rounds = 8;
      world.options.uplink = uplink;
      world.options.downlink = downlink;
      world.options.full_every = 5;
      plain.run();
      world.run();
      expect_sound(world);
      if (*uplink != 0) {
        EXPECT_LT(world.outcome->bytes_up, plain.outcome->bytes_up);
      }
      if (*downlink != 0) {
        EXPECT_LT(world.outcome->bytes_down, plain.outcome->bytes_down);
      }
    }
  }
}

TEST(Federation, AnotherSeedGivesAnotherModel) {
  World one, two;
  two.options.seed = 2;
  one.run();
  two.run();
  EXPECT_NE(one.outcome->model, two.outcome->model);
}

TEST(Federation, HalfOfTheClientsTakePartInEachRound) {
  World world;
  world.options.network.latency_max = std::chrono::milliseconds(50);
  world.options.fraction = 0.5;
  world.run();
  expect_sound(world);
  for (const auto& record : world.disk->rounds) EXPECT_EQ(record.participations.size(), 3U);
}

TEST(Federation, ClientThatStartsLateJoinsALaterRound) {
  World world;
  world.options.rounds = 12;
  std::string late;
  world.options.equip = [&](simulation::ClientSetup& client) {
    if (!late.empty()) return;
    late = client.name;
    client.starts_after = std::chrono::seconds(70);  // the first round waits 60 s for all
  };
  world.run();
  expect_sound(world);
  const auto takes_part = [&](const server::RoundRecord& record) {
    return std::ranges::any_of(record.participations, [&](const auto& p) { return p.client == late; });
  };
  EXPECT_FALSE(takes_part(world.disk->rounds.front()));
  EXPECT_EQ(world.disk->rounds.front().participations.size(), 4U);
  EXPECT_TRUE(takes_part(world.disk->rounds.back()));
  EXPECT_EQ(world.disk->rounds.back().participations.size(), 5U);
}

// A retention never removes what a restart needs: the published model is also restored bit for bit.
TEST(Federation, ARetentionChangesNoModelHoweverOftenTheAggregatorRestarts) {
  const auto world_that_keeps = [](const char* keep, std::uint32_t full_every) {
    World world;
    world.options.clients = world.options.clients_min = 3;
    world.options.quorum = 1;
    world.options.elements = 40;
    world.options.rounds = 40;
    world.options.optimizer = {"fedavgm", 0.9};
    world.options.downlink = "q4";
    world.options.full_every = full_every;
    world.options.retention = *server::parse_retention(keep, "");
    return world;
  };
  // A restart begins at the initial model or a stored published vector, or at the last model that was sent in full.
  for (const std::uint32_t full_every : {0U, 9U}) {
    World all = world_that_keeps("all", full_every);
    all.run();
    expect_sound(all);
    const std::uint64_t effects = all.outcome->aggregator_effects;
    for (std::uint64_t at = effects / 8; at < effects; at += effects / 24) {
      SCOPED_TRACE("in full every " + std::to_string(full_every) + ", a crash before effect " +
                   std::to_string(at));
      World world = world_that_keeps("last:2", full_every);
      world.options.crashes.aggregator_at_effect = at;
      world.run();
      ASSERT_TRUE(world.outcome.has_value()) << world.outcome.error().text();
      EXPECT_EQ(world.outcome->crashes, 1U);
      EXPECT_EQ(world.outcome->model, all.outcome->model);
      EXPECT_LT(world.disk->models.size(), 12U);
      EXPECT_LT(world.disk->deltas.size(), 33U);
      for (const std::string& line : world.log)
        EXPECT_EQ(line.find("cannot be restored"), std::string::npos) << line;
    }
  }
}

// Few clients and rounds, so that every effect can be the last one before a crash.
World momentum_world() {
  World world;
  world.options.clients = world.options.clients_min = 3;
  world.options.rounds = 3;
  world.options.quorum = 1;
  world.options.elements = 40;
  world.options.optimizer = {"fedavgm", 0.9};
  return world;
}

TEST(ServerMomentum, IsExactAndAnotherModelThanPlainAveraging) {
  World with = momentum_world(), plain = momentum_world();
  plain.options.optimizer = {};
  with.run();
  plain.run();
  expect_sound(with);
  expect_sound(plain);
  EXPECT_NE(with.outcome->model, plain.outcome->model);
}

TEST(ServerMomentum, ACrashBeforeAnyEffectGivesTheSameModel) {
  World undisturbed = momentum_world();
  undisturbed.run();
  crash_before_effects(momentum_world, 1, [&](const World& world) {
    expect_sound(world);
    EXPECT_EQ(world.outcome->model, undisturbed.outcome->model);
  });
}

// A few hundred worlds, each with different rates of every fault.
class FaultyFederation : public ::testing::TestWithParam<int> {};

World faulty_world(std::uint64_t seed) {
  World world;
  Random random(derive_seed(seed, "faulty world"));
  auto& o = world.options;
  o.seed = seed;
  o.clients = static_cast<std::uint32_t>(2 + random.below(7));
  o.rounds = static_cast<std::uint32_t>(2 + random.below(4));
  o.clients_min = static_cast<std::uint32_t>(1 + random.below(o.clients));
  o.quorum = 0.2 + 0.8 * random.uniform();
  o.fraction = random.chance(0.5) ? 1.0 : 0.3 + 0.7 * random.uniform();
  o.elements = 1 + random.below(1500);
  draw_faults(o, random,
              {.lose = 0.05,
               .duplicate = 0.1,
               .overtake = 0.1,
               .cut = 0.02,
               .crash = 0.01,
               .crashes = 30,
               .latency_ms = 3000});
  // Codecs that keep no state at the client, because lost messages decide whether a client learns that its update was
  // counted.
  constexpr const char* uplinks[] = {"", "", "q8", "q2-rotated", "randk(0.3, q4)"};
  constexpr const char* downlinks[] = {"", "q4-rotated", "q8", "topk(0.2, q4)"};
  o.uplink = uplinks[random.below(std::size(uplinks))];
  o.downlink = downlinks[random.below(std::size(downlinks))];
  o.full_every = static_cast<std::uint32_t>(random.below(4));
  if (random.chance(0.3)) o.optimizer.name = "fedavgm";
  return world;
}

TEST_P(FaultyFederation, CommitsEveryRoundExactlyAndLosesNone) {
  constexpr int worlds_a_test = 25;
  std::uint64_t crashes = 0;
  run_worlds({faulty_world, expect_sound, "FaultyFederation"},
             static_cast<std::uint64_t>(GetParam() * worlds_a_test), worlds_a_test,
             [&](const World& world) { crashes += world.outcome->crashes; });
  if (std::getenv("HANSA_SIMULATION_SEED") != nullptr) return;
  // The faults must have happened; otherwise this test shows nothing.
  EXPECT_GT(crashes, 10U);
}
INSTANTIATE_TEST_SUITE_P(Seeds, FaultyFederation, ::testing::Range(0, 16));

TEST(Replay, SameSeedGivesTheSameRun) { expect_equal_runs(faulty_world(7), faulty_world(7)); }

}  // namespace
}  // namespace hansa::testing
