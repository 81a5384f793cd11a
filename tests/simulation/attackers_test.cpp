// Whole federations in which some clients lie: with each robust rule the model ends where it ends without them, and with the
// plain mean it does not.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "server/aggregation/aggregation_config.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/world.h"

namespace hansa::testing {
namespace {

constexpr std::uint64_t examples = 50;
constexpr std::size_t faulty = 2;

enum class Lie : std::uint8_t {
  none,
  sign,  // the trained change in the other direction, ten times as long
  gaussian,  // noise
  scaled,  // the trained change, forty times as long
  collusion,  // all liars send the same vector
  not_a_number,
  infinite,
};

float target(std::size_t i) { return static_cast<float>(std::sin(static_cast<double>(i))); }

// Moves the model a part of the way to the target, with a little noise, so that honest clients agree on the direction. Then lies.
class Attacker final : public FakeTrainer {
 public:
  explicit Attacker(Lie lie) : FakeTrainer(examples), lie_(lie) {}
  Result<learning::TrainingResult> train(const learning::TrainingRequest& request,
                                         std::span<const learning::OutputVector> outputs,
                                         std::stop_token stop) override {
    HANSA_TRY(auto result, FakeTrainer::train(request, outputs, stop));
    const std::span<const float> global = request.inputs.front().values;
    const std::span<float> delta = outputs.front().values;
    Random random(request.seed);
    for (std::size_t i = 0; i < delta.size(); ++i) {
      const auto noise = static_cast<float>(random.normal());
      const float honest = 0.3F * (target(i) - global[i]) + 0.02F * noise;
      delta[i] = lied(honest, noise);
    }
    return result;
  }

 private:
  [[nodiscard]] float lied(float honest, float noise) const {
    switch (lie_) {
      case Lie::none: break;
      case Lie::sign: return -10 * honest;
      case Lie::gaussian: return 5 * noise;
      case Lie::scaled: return 40 * honest;
      case Lie::collusion: return 5;
      case Lie::not_a_number: return std::numeric_limits<float>::quiet_NaN();
      case Lie::infinite: return -std::numeric_limits<float>::infinity();
    }
    return honest;
  }
  Lie lie_;
};

bool is_liar(const std::string& client) { return client < "client-10" + std::to_string(faulty); }

World attacked_world(const std::string& rule, Lie lie, std::uint32_t clients = 11) {
  World world;
  auto& o = world.options;
  o.clients = clients;  // 4 f + 3, the most that a rule needs
  o.clients_min = 11;
  o.quorum = 1;
  o.rounds = 16;
  o.elements = 200;
  o.chunk_bytes = 4096;
  o.aggregation.name = rule;
  o.aggregation.faulty = faulty;
  // The rule has to hold alone.
  o.limits.norm_ratio_max = 1e9;
  o.limits.magnitude_max = 1e5;
  o.equip = [lie](simulation::ClientSetup& client) {
    client.trainer = std::make_shared<Attacker>(is_liar(client.name) ? lie : Lie::none);
  };
  return world;
}

// The root of the mean squared distance of the last model to the target; the initial one's is 1.2.
double distance(const World& world) {
  const auto& model = world.disk->models.at(world.disk->rounds.back().model);
  double squares = 0;
  for (std::size_t i = 0; i < model.size(); ++i)
    squares += std::pow(static_cast<double>(model[i]) - static_cast<double>(target(i)), 2);
  return std::sqrt(squares / static_cast<double>(model.size()));
}

void run_to_the_end(World& world) {
  world.run();
  ASSERT_TRUE(world.outcome) << world.outcome.error().text();
  ASSERT_EQ(world.outcome->finish.why, server::Finish::Why::all_rounds) << world.outcome->finish.text;
  EXPECT_EQ(check_records(world), "");
}

using Attack = std::pair<const char*, Lie>;
constexpr Attack attacks[] = {
    {"Sign", Lie::sign}, {"Gaussian", Lie::gaussian}, {"Scaled", Lie::scaled}, {"Collusion", Lie::collusion}};

class Attacked : public ::testing::TestWithParam<std::tuple<std::string_view, Attack>> {};

TEST_P(Attacked, TheRuleHoldsWhereTheMeanDoesNot) {
  const auto& [rule, attack] = GetParam();
  World world = attacked_world(std::string(rule), attack.second);
  run_to_the_end(world);
  if (HasFatalFailure()) return;
  for (const auto& record : world.disk->rounds)
    for (const auto& p : record.participations)
      ASSERT_EQ(p.outcome, server::Outcome::counted)
          << p.client << " must have been in round " << record.round.value;
  if (rule == "mean") {
    EXPECT_GT(distance(world), 0.5);
  } else {
    EXPECT_LT(distance(world), 0.2);
  }
}
INSTANTIATE_TEST_SUITE_P(Rules, Attacked,
                         ::testing::Combine(::testing::ValuesIn(server::aggregation_names),
                                            ::testing::ValuesIn(attacks)),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param)) + "_" + std::get<1>(test.param).first;
                         });

class Rule : public ::testing::TestWithParam<std::string_view> {};

TEST_P(Rule, EndsNearTheTargetWithoutLiars) {
  World world = attacked_world(std::string(GetParam()), Lie::none);
  run_to_the_end(world);
  if (HasFatalFailure()) return;
  EXPECT_LT(distance(world), 0.05);
}

// Their own devices refuse to send them; update_form_test.cpp has the aggregator, to which a device without that check sends them.
TEST_P(Rule, NeverCountsNumbersThatAreNotFinite) {
  for (const Lie lie : {Lie::not_a_number, Lie::infinite}) {
    World world = attacked_world(std::string(GetParam()), lie, 11 + faulty);
    world.options.quorum = 0.8;
    run_to_the_end(world);
    if (HasFatalFailure()) return;
    EXPECT_LT(distance(world), 0.05);
    for (const auto& record : world.disk->rounds)
      for (const auto& p : record.participations)
        EXPECT_FALSE(is_liar(p.client) && p.outcome == server::Outcome::counted) << p.client;
  }
}
INSTANTIATE_TEST_SUITE_P(Rules, Rule, ::testing::ValuesIn(server::aggregation_names),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace hansa::testing
