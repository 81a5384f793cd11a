// Secure aggregation in whole federations: the committed model is the exact sum of the counted clients, whatever fails.
#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/simulation/any_order.h"
#include "tests/simulation/client_updates.h"
#include "tests/simulation/faulty_worlds.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/world.h"

namespace hansa::testing {
namespace {

using secure_aggregation::ThreatModel;

void expect_sound(const World& world) {
  expect_all_rounds(world);
  EXPECT_EQ(check_records(world), "");
  EXPECT_EQ(check_secure_models(world), "");
}

World kind_world(ThreatModel threat_model) {
  World world;
  world.options.secure = threat_model;
  world.options.clients_min = 3;
  return world;
}

TEST(SecureFederation, WithoutFaultsEveryClientIsCounted) {
  for (const ThreatModel threat_model : {ThreatModel::honest_but_curious, ThreatModel::active}) {
    World world = kind_world(threat_model);
    world.run();
    expect_sound(world);
    for (const auto& record : world.disk->rounds) {
      EXPECT_EQ(record.attempt, 1U);
      ASSERT_EQ(record.participations.size(), world.options.clients);
      for (const auto& p : record.participations) EXPECT_EQ(p.outcome, server::Outcome::counted) << p.reason;
      EXPECT_EQ(record.secure->recovered, 0U);
      EXPECT_EQ(record.secure->with_keys, world.options.clients);
    }
    // The first round does not know the scale of the values. The others use the configured precision.
    EXPECT_GE(world.disk->rounds[0].secure->value_bits, 18U);
    EXPECT_EQ(world.disk->rounds[1].secure->value_bits, 8U);
  }
}

TEST(SecureFederation, AFractionOfTheRotatedValuesIsSummedAndModelsAreSentAsDeltas) {
  World whole = kind_world(ThreatModel::honest_but_curious),
        world = kind_world(ThreatModel::honest_but_curious);
  whole.options.rounds = world.options.rounds = 6;
  whole.options.elements = world.options.elements = 4'000;
  world.options.secure_fraction = 0.3;
  world.options.downlink = "q4-rotated";
  whole.run();
  world.run();
  expect_sound(world);
  EXPECT_LT(world.outcome->bytes_up, whole.outcome->bytes_up / 2);
  EXPECT_LT(world.outcome->bytes_down, whole.outcome->bytes_down / 2);
}

TEST(SecureFederation, TheSameSeedGivesTheSameModelForAnyOrderOfArrival) {
  const auto at_once = [] {
    World world = kind_world(ThreatModel::honest_but_curious);
    world.options.training_max = {};
    return world;
  };
  expect_same_model_in_any_order(at_once, {3}, 5, expect_sound);
}

TEST(SecureFederation, ALargeCohortIsSummedOnARegularGraph) {
  World world = kind_world(ThreatModel::honest_but_curious);
  world.options.clients = 60;
  world.options.rounds = 2;
  world.options.elements = 100;
  world.options.uploads_max = 8;
  world.run();
  expect_sound(world);
  EXPECT_LT(world.disk->rounds[1].secure->neighbours, 59U);
}

// Nothing that the aggregator received, stored or logged contains an update, neither as floats nor as ring elements.
// The same search finds the updates of a federation without secure aggregation.
TEST(SecureFederation, TheAggregatorSeesNoPlainUpdate) {
  const auto windows_found = [](World& world) {
    world.options.keep_heard = true;
    world.options.chunk_bytes = 4096;  // so that the searched windows are not split
    world.options.clients_min = 3;
    world.run();
    std::string seen = world.heard;
    for (const auto& [digest, model] : world.disk->models)
      seen.append(reinterpret_cast<const char*>(model.data()), model.size() * sizeof(float));
    for (const std::string& text : world.log) seen += text;
    std::size_t found = 0, searched = 0;
    for (const auto& record : world.disk->rounds)
      for (const auto& p : record.participations) {
        const auto& global = world.disk->models.at(record.base);
        std::vector<float> delta(global.size()), trained(global.size());
        FakeTrainer::compute(training_seed(world, {record.round}, p.client), global, delta);
        for (std::size_t i = 0; i < delta.size(); ++i) trained[i] = global[i] + delta[i];
        for (const auto& values : {delta, trained}) {
          const std::string bytes(reinterpret_cast<const char*>(values.data()),
                                  values.size() * sizeof(float));
          for (std::size_t at = 0; at + 16 <= bytes.size(); at += 64, ++searched)
            found += seen.find(bytes.substr(at, 16)) != std::string::npos;
        }
      }
    EXPECT_GT(searched, 100U);
    return found;
  };
  World plain;
  EXPECT_GT(windows_found(plain), 100U) << "the search finds an update if there is one";
  World secure = kind_world(ThreatModel::honest_but_curious);
  EXPECT_EQ(windows_found(secure), 0U);
  expect_sound(secure);
  for (const auto& record : secure.disk->rounds)
    for (const auto& p : record.participations) {
      EXPECT_EQ(p.examples, 0U);
      EXPECT_TRUE(p.metrics.empty());
    }
}

class FaultySecureFederation : public ::testing::TestWithParam<int> {};

World faulty_world(std::uint64_t seed) {
  Random random(derive_seed(seed, "faulty secure world"));
  World world;
  auto& o = world.options;
  o.seed = seed;
  o.secure = random.chance(0.3) ? ThreatModel::active : ThreatModel::honest_but_curious;
  o.clients = static_cast<std::uint32_t>(3 + random.below(7));
  o.rounds = static_cast<std::uint32_t>(2 + random.below(3));
  o.clients_min = static_cast<std::uint32_t>(3 + random.below(o.clients - 2));
  o.quorum = 0.2 + 0.8 * random.uniform();
  o.elements = 1 + random.below(600);
  draw_faults(o, random,
              {.lose = 0.02,
               .duplicate = 0.1,
               .overtake = 0.05,
               .cut = 0.01,
               .crash = 0.005,
               .crashes = 20,
               .latency_ms = 2000});
  return world;
}

TEST_P(FaultySecureFederation, CommitsEveryRoundExactlyAndLosesNone) {
  constexpr int worlds_a_test = 15;
  std::uint64_t crashes = 0, recovered = 0;
  run_worlds({faulty_world, expect_sound, "FaultySecureFederation"},
             static_cast<std::uint64_t>(GetParam() * worlds_a_test), worlds_a_test, [&](const World& world) {
               crashes += world.outcome->crashes;
               for (const auto& record : world.disk->rounds)
                 recovered += record.secure ? record.secure->recovered : 0;
             });
  if (std::getenv("HANSA_SIMULATION_SEED") != nullptr) return;
  EXPECT_GT(crashes, 5U) << "faults must have happened";
  EXPECT_GT(recovered, 0U) << "some drop out after they shared their secrets";
}
INSTANTIATE_TEST_SUITE_P(Seeds, FaultySecureFederation, ::testing::Range(0, 8));

}  // namespace
}  // namespace hansa::testing
