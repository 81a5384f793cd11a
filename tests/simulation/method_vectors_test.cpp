// A training method with two additional vectors in each direction, in whole federations: the aggregator keeps the
// vectors, sends them with each task, and adds the mean of the clients' outputs.
#include <cmath>

#include <gtest/gtest.h>

#include "tests/simulation/world.h"

namespace hansa::testing {
namespace {

void use_vectors(World& world) {
  world.options.method =
      MethodDescription{"paired", sgd_options(), {"control", "anchor"}, {"control_change", "drift"}};
}

void expect_sound(const World& world) {
  ASSERT_TRUE(world.outcome) << world.outcome.error().text();
  EXPECT_EQ(world.outcome->finish.why, server::Finish::Why::all_rounds) << world.outcome->finish.text;
  EXPECT_EQ(check_models(world), "");
  EXPECT_EQ(check_records(world), "");
}

TEST(MethodVectors, GrowByTheExactMeanOfTheClientsOutputs) {
  for (const char* uplink : {"", "q8", "topk(0.1, q4)"}) {
    SCOPED_TRACE(uplink);
    World world;
    use_vectors(world);
    world.options.uplink = uplink;
    world.options.downlink = *uplink == 0 ? "" : "q4-rotated";
    world.run();
    expect_sound(world);
    ASSERT_FALSE(world.disk->rounds.empty());
    const auto& state = world.disk->rounds.back().state;
    ASSERT_EQ(state.size(), 2U);
    EXPECT_EQ(state[0].name, "paired.control");
    EXPECT_EQ(state[1].name, "paired.anchor");
  }
}

TEST(MethodVectors, SurviveServerMomentumCrashesAndLostMessages) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world;
    use_vectors(world);
    world.options.seed = seed;
    world.options.optimizer.name = "fedavgm";
    world.options.crashes.aggregator_per_effect = 0.002;
    world.options.crashes.client_per_effect = 0.002;
    world.options.crashes.crashes_max = 8;
    world.options.network.lose = 0.01;
    world.options.network.latency_max = std::chrono::milliseconds(100);
    world.run();
    expect_sound(world);
  }
}

TEST(MethodVectors, AreSummedSecurelyToo) {
  World plain, secure;
  for (World* world : {&plain, &secure}) {
    use_vectors(*world);
    world->options.rounds = 1;
    world->options.quorum = 1;
  }
  secure.options.secure = secure_aggregation::ThreatModel::honest_but_curious;
  plain.run();
  secure.run();
  expect_sound(plain);
  ASSERT_TRUE(secure.outcome) << secure.outcome.error().text();
  ASSERT_EQ(secure.disk->rounds.size(), 1U);
  ASSERT_TRUE(secure.disk->rounds[0].secure);
  for (std::size_t v = 0; v < 2; ++v) {
    const auto& exact = plain.disk->models.at(plain.disk->rounds[0].state[v].vector);
    const auto& rounded = secure.disk->models.at(secure.disk->rounds[0].state[v].vector);
    for (std::size_t i = 0; i < exact.size(); ++i) ASSERT_NEAR(rounded[i], exact[i], 2e-3) << v << ", " << i;
  }
}

TEST(MethodVectors, AClientWithoutTheMethodDeclines) {
  World world;
  use_vectors(world);
  world.options.clients = 3;
  world.options.equip = [](simulation::ClientSetup& client) {
    if (client.name == "client-102") client.trainer = std::make_shared<FakeTrainer>(50);
  };
  world.run();
  expect_sound(world);
  std::size_t declined = 0;
  for (const auto& record : world.disk->rounds)
    for (const auto& p : record.participations)
      if (p.outcome == server::Outcome::declined) {
        ++declined;
        EXPECT_NE(p.reason.find("does not know the task's method"), std::string::npos) << p.reason;
      }
  EXPECT_GT(declined, 0U);
}

}  // namespace
}  // namespace hansa::testing
