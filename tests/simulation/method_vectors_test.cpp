// A training method with two additional vectors in each direction, in whole federations: the aggregator keeps the
// vectors, sends them with each task, and adds the mean of the clients' outputs.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/simulation/checks.h"
#include "tests/simulation/world.h"

namespace hansa::testing {
namespace {

void use_vectors(World& world) {
  world.options.method =
      MethodDescription{"paired", sgd_options(), {"control", "anchor"}, {"control_change", "drift"}};
}

void expect_sound(const World& world) {
  expect_all_rounds(world);
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

// Multiplies one of the vectors that it sends, from its third training on.
class VectorLiar final : public FakeTrainer {
 public:
  VectorLiar(const MethodDescription& method, float factor) : FakeTrainer(50, method), factor_(factor) {}
  Result<learning::TrainingResult> train(const learning::TrainingRequest& request,
                                         std::span<const learning::OutputVector> outputs,
                                         std::stop_token stop) override {
    auto result = FakeTrainer::train(request, outputs, stop);
    if (++trainings_ >= 3)
      for (float& value : outputs[1].values) value *= factor_;
    return result;
  }

 private:
  float factor_;
  int trainings_ = 0;
};

World lied_to_world(float factor) {
  World world;
  use_vectors(world);
  world.options.rounds = 3;
  world.options.quorum = 1;
  world.options.equip = [factor, method = *world.options.method](simulation::ClientSetup& client) {
    if (client.name == "client-102") client.trainer = std::make_shared<VectorLiar>(method, factor);
    else client.trainer = std::make_shared<FakeTrainer>(50, method);
  };
  return world;
}

// The largest value of the first exchanged vector after the last round.
float largest_of_vector(const World& world) {
  float out = 0;
  for (const float value : world.disk->models.at(world.disk->rounds.back().state[0].vector))
    out = std::max(out, std::abs(value));
  return out;
}

// The norm of its whole update is six times that of the others.
TEST(MethodVectors, AVectorThatIsUnlikeTheOthersEndsTheAttemptAlthoughTheWholeUpdateIsNot) {
  World world = lied_to_world(11);
  world.run();
  expect_sound(world);
  EXPECT_TRUE(std::ranges::any_of(world.log, [](const std::string& line) {
    return line.find("came from client-102 (control_change)") != std::string::npos;
  }));
  const auto& last = world.disk->rounds.back();
  EXPECT_TRUE(
      std::ranges::none_of(last.participations, [](const auto& p) { return p.client == "client-102"; }));
}

// Each vector has scales of its own, which the rounds before have measured.
TEST(MethodVectors, ASecureSumBoundsWhatALieMoves) {
  World honest = lied_to_world(1), plain = lied_to_world(100), secure = lied_to_world(100);
  plain.options.limits.norm_ratio_max = 1e9;
  honest.options.secure = secure.options.secure = secure_aggregation::ThreatModel::honest_but_curious;
  for (World* world : {&honest, &plain, &secure}) {
    world->run();
    ASSERT_TRUE(world->outcome) << world->outcome.error().text();
    ASSERT_EQ(world->disk->rounds.size(), 3U) << world->outcome->finish.text;
  }
  EXPECT_LT(largest_of_vector(honest), 0.5F);
  EXPECT_GT(largest_of_vector(plain), 4.0F);
  EXPECT_LT(largest_of_vector(secure), 1.0F);
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
