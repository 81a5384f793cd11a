// [strategy] and [cohort] mode of federation.toml: options, what cannot work together, and the catalogue.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/methods.h"
#include "server/config/federation_schema.h"
#include "server/config/strategies.h"
#include "tests/config/federation_file.h"

namespace hansa::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(FederationFile, TheOptionsOfEachStrategyReachItsConfiguration) {
  const auto config = read(std::string(minimal) + R"(
[cohort]
clients_min = 12
[strategy]
selection = "oort"
aggregation = "multi_krum"
server_optimizer = "fedyogi"
[strategy.oort]
exploration = 0.5
round_penalty = 1
[strategy.multi_krum]
faulty = 3
chosen = 5
[strategy.fedyogi]
learning_rate = 0.1
beta2 = 0.9
tau = 0.01
[strategy.fedadam]
tau = 5
)");
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->selection.exploration, 0.5);
  EXPECT_EQ(config->selection.round_penalty, 1);
  EXPECT_EQ(config->aggregation.faulty, 3U);
  EXPECT_EQ(config->aggregation.chosen, 5U);
  EXPECT_EQ(config->optimizer.learning_rate, 0.1);
  EXPECT_EQ(config->optimizer.beta1, 0.9);  // its default
  EXPECT_EQ(config->optimizer.beta2, 0.9);
  EXPECT_EQ(config->optimizer.tau, 0.01);
  EXPECT_THAT(config->notes, ElementsAre(HasSubstr("[strategy.fedadam] has no effect")));
}

TEST_F(FederationFile, FedBnMakesTheNormalisationLayersPersonal) {
  const auto config = read(std::string(minimal) + "[strategy]\nmethod = \"fedbn\"\n");
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_THAT(config->personal, ElementsAre("@normalisation"));
  EXPECT_EQ(config->method.name, "fedbn");
  EXPECT_EQ(training_config({}, config->method).personal, config->personal);
  const auto option = std::ranges::find(config->method.options, "personal", &Option::name);
  ASSERT_NE(option, config->method.options.end());
  EXPECT_EQ(std::get<std::vector<std::string>>(option->value), config->personal);
}

TEST_F(FederationFile, TheOptionsOfPersonalMethodsReachTheTask) {
  const auto ditto = read(std::string(minimal) + R"(
[strategy]
method = "ditto"
[strategy.ditto]
lambda = 0.1
personal_epochs = 4
)");
  ASSERT_TRUE(ditto) << ditto.error().text();
  const MethodDescription& description = *find_method(built_in_methods(), "ditto");
  EXPECT_EQ(number_option(description, ditto->method, "lambda"), 0.1);
  EXPECT_EQ(number_option(description, ditto->method, "personal_epochs"), 4);
}

TEST_F(FederationFile, PersonalMethodsThatCannotWorkAreRefusedWithTheReason) {
  const auto refusal = [&](const std::string& text) {
    const auto wrong = read(minimal + text);
    return wrong ? std::string("was read") : wrong.error().text();
  };
  const std::string personal = "personal = [\"head.*\"]\n";
  for (const char* name : {"fedper", "fedrep"}) {
    const std::string strategy = "[strategy]\nmethod = \"" + std::string(name) + "\"\n";
    EXPECT_THAT(refusal(strategy), HasSubstr("needs personal parameters, and the federation has none"));
    EXPECT_THAT(refusal(strategy), HasSubstr("model.personal"));
    EXPECT_EQ(refusal(personal + strategy), "was read");
  }
  EXPECT_THAT(refusal(personal + "[strategy]\nmethod = \"ditto\"\n"),
              HasSubstr("gives each device a model of its own with all parameters"));
  EXPECT_THAT(refusal("personal = \"@batch_norm\"\n"),
              HasSubstr("which are no type of layer; the only one is \"@normalisation\""));
}

TEST_F(FederationFile, StrategiesThatCannotWorkAreRefusedWithTheReason) {
  const auto refusal = [&](const std::string& text) {
    const auto wrong = read(minimal + text);
    return wrong ? std::string("was read") : wrong.error().text();
  };
  EXPECT_THAT(refusal("[cohort]\nclients_min = 5\n[strategy]\naggregation = \"bulyan\"\n"),
              HasSubstr("needs 7 updates; a round may have 4"));
  EXPECT_THAT(refusal("[cohort]\nclients_min = 9\n[strategy]\naggregation = \"bulyan\"\n"),
              HasSubstr("was read"));
  const std::string secure = "[cohort]\nclients_min = 12\n[secure_aggregation]\nenabled = true\nroot = \"" +
                             std::string(64, '1') + "\"\n[strategy]\n";
  EXPECT_THAT(refusal(secure + "aggregation = \"median\"\n"),
              HasSubstr("needs the single updates, and secure aggregation hides them"));
  EXPECT_THAT(refusal(secure + "selection = \"power_of_choice\"\n"),
              HasSubstr("reads the loss of single clients"));
}

TEST_F(FederationFile, TheOptionsOfAMethodReachTheTask) {
  const auto option = [](const FederationConfig& config, std::string_view name) -> OptionValue {
    for (const Option& own : config.method.options)
      if (own.name == name) return own.value;
    return std::string("left out");
  };
  const auto prox = read(std::string(minimal) +
                         "[training]\nmomentum = 0.5\n[strategy]\nmethod = \"fedprox\"\n[strategy.fedprox]\n"
                         "mu = 0.5\n");
  ASSERT_TRUE(prox) << prox.error().text();
  EXPECT_EQ(option(*prox, "mu"), OptionValue(0.5));
  EXPECT_EQ(option(*prox, "momentum"), OptionValue(0.5));
  const auto scaffold = read(std::string(minimal) +
                             "[strategy]\nmethod = \"scaffold\"\n[strategy.scaffold]\ncorrection = "
                             "\"outside\"\n");
  ASSERT_TRUE(scaffold) << scaffold.error().text();
  EXPECT_EQ(option(*scaffold, "correction"), OptionValue(std::string("outside")));
  const auto dyn = read(std::string(minimal) + "[strategy]\nmethod = \"feddyn\"\n");
  ASSERT_TRUE(dyn) << dyn.error().text();
  EXPECT_EQ(option(*dyn, "alpha"), OptionValue(0.01));
}

TEST_F(FederationFile, MethodsThatCorrectTheMeanGoWithNothingElse) {
  const auto refusal = [&](const std::string& text) {
    const auto wrong = read(std::string(minimal) + "[cohort]\nclients_min = 9\n" + text);
    return wrong ? std::string("was read") : wrong.error().text();
  };
  for (const char* method : {"scaffold", "fednova", "feddyn"})
    EXPECT_THAT(refusal("[strategy]\naggregation = \"median\"\nmethod = \"" + std::string(method) + "\"\n"),
                HasSubstr("use \"mean\", or another method"))
        << method;
  EXPECT_THAT(refusal("[strategy]\naggregation = \"median\"\nmethod = \"fedprox\"\n"), HasSubstr("was read"));
  const std::string dyn = "[strategy]\nmethod = \"feddyn\"\n";
  EXPECT_THAT(refusal(dyn + "server_optimizer = \"fedadam\"\n"),
              HasSubstr("is \"fedadam\", and the method \"feddyn\" makes the step of the aggregator itself"));
  EXPECT_THAT(refusal(dyn + "[strategy.fedavg]\nlearning_rate = 0.5\n"),
              HasSubstr("has another learning_rate than 1"));
  EXPECT_THAT(refusal("[strategy]\nmethod = \"scaffold\"\nserver_optimizer = \"fedadam\"\n"),
              HasSubstr("was read"));
  EXPECT_THAT(refusal("[strategy]\nmethod = \"feddyn\"\n[strategy.feddyn]\nalpha = 0\n"),
              HasSubstr("strategy.feddyn.alpha"));
  EXPECT_THAT(refusal("[strategy]\nmethod = \"scaffold\"\n[strategy.scaffold]\ncorrection = \"elsewhere\"\n"),
              HasSubstr("strategy.scaffold.correction"));
}

TEST_F(FederationFile, ACoarseCodecForMethodsThatAddUpDeltasIsNoted) {
  const std::string dyn = std::string(minimal) + "[strategy]\nmethod = \"feddyn\"\n";
  const auto coarse = read(dyn);
  ASSERT_TRUE(coarse) << coarse.error().text();
  EXPECT_THAT(coarse->notes, ElementsAre(HasSubstr("\"q1-rotated\" leaves large errors")));
  const auto fine = read(dyn + "[compression]\nuplink = \"q4-rotated\"\n");
  ASSERT_TRUE(fine) << fine.error().text();
  EXPECT_TRUE(fine->notes.empty());
}

// The aggregator's part of FedNova needs the sum of a metric, which is no matter of what the operator wants to see.
TEST_F(FederationFile, ASecureSumHasTheMetricsOfItsMethod) {
  const std::string secure = "[cohort]\nclients_min = 4\n[secure_aggregation]\nenabled = true\nroot = \"" +
                             std::string(64, '1') + "\"\nmetrics = [\"loss\"]\n[strategy]\nmethod = ";
  const auto nova = read(minimal + secure + "\"fednova\"\n");
  ASSERT_TRUE(nova) << nova.error().text();
  EXPECT_THAT(nova->secure_aggregation->metrics, ElementsAre("loss", "normalisation"));
  const auto other = read(minimal + secure + "\"scaffold\"\n");
  ASSERT_TRUE(other) << other.error().text();
  EXPECT_THAT(other->secure_aggregation->metrics, ElementsAre("loss"));
}

TEST_F(FederationFile, BufferedAggregationIsReadWithItsOptions) {
  EXPECT_EQ(read(minimal)->cohort.mode, CohortMode::synchronous);
  const auto config = read(std::string(minimal) + R"(
[cohort]
mode = "buffered"
quorum = 0.5
[cohort.buffered]
updates = 32
staleness_max = 7
concurrency = 100
weights = "examples"
[strategy]
selection = "oort"
server_optimizer = "fedadam"
[schedule.until]
hours = 2
)");
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->cohort.mode, CohortMode::buffered);
  EXPECT_EQ(config->cohort.buffered.updates, 32U);
  EXPECT_EQ(config->cohort.buffered.staleness_max, 7U);
  EXPECT_EQ(config->cohort.buffered.concurrency, 100U);
  EXPECT_EQ(config->cohort.buffered.weights, BufferedConfig::Weights::examples);
  EXPECT_THAT(config->notes, ElementsAre(HasSubstr("cohort.quorum has no effect")));
  EXPECT_THAT(read(std::string(minimal) + "[cohort.buffered]\nupdates = 3\n")->notes,
              ElementsAre(HasSubstr("[cohort.buffered] has no effect")));
}

TEST_F(FederationFile, WhatBufferedAggregationCannotDoIsRefusedWithTheReasonAndAHint) {
  const auto refusal = [&](const std::string& cohort, const std::string& more) {
    const auto wrong = read(minimal + ("[cohort]\nmode = \"buffered\"\n" + cohort + more));
    return wrong ? std::string("was read") : wrong.error().text();
  };
  EXPECT_EQ(refusal("", ""), "was read");
  EXPECT_THAT(refusal("clients_min = 12\n", "[strategy]\naggregation = \"median\"\n"),
              HasSubstr("a fast client may have several in a buffer"));
  EXPECT_THAT(refusal("fraction = 0.5\n", ""), HasSubstr("cohort.buffered.concurrency limits"));
  EXPECT_THAT(refusal("size_max = 5\n", ""), HasSubstr("cohort.buffered.concurrency limits"));
  EXPECT_THAT(refusal("over_select = true\n", ""), HasSubstr("no buffer waits for a client"));
  for (const std::string name : {"by_examples", "new_data", "power_of_choice", "oort"}) {
    const std::string selection = "[strategy]\nselection = \"" + name + "\"\n";
    EXPECT_THAT(refusal("", selection), HasSubstr("none is selected"));
    EXPECT_EQ(refusal("", selection + "[cohort.buffered]\nconcurrency = 2\n"), "was read");
  }
  for (const std::string name : {"scaffold", "fednova", "feddyn"})
    EXPECT_THAT(refusal("", "[strategy]\nmethod = \"" + name + "\"\n"),
                HasSubstr("whose corrections belong to the updates of one round"))
        << name;
  for (const std::string name : {"fedprox", "adamw", "fedbn", "ditto", "moon"})
    EXPECT_EQ(refusal("", "[strategy]\nmethod = \"" + name + "\"\n"), "was read") << name;
  for (const char* condition : {"every_s = 60", "at = [\"0 3 * * *\"]", "new_examples = 10",
                                "clients_with_new = 1", "quiet = [\"08:00-18:00\"]"})
    EXPECT_THAT(refusal("", std::string("[schedule]\n") + condition + "\n"),
                HasSubstr("clients train continuously"))
        << condition;
  EXPECT_THAT(refusal("", "[cohort.buffered]\nupdates = 0\n"), HasSubstr("updates"));
}

TEST_F(FederationFile, BufferedAggregationWithSecureAggregationNeedsAGroupThatItsSumAllows) {
  const auto refusal = [&](const std::string& cohort, const std::string& buffered,
                           const std::string& more = "") {
    const auto wrong = read(
        std::string(minimal) + "[cohort]\nmode = \"buffered\"\n" + cohort + "[cohort.buffered]\n" + buffered +
        "[secure_aggregation]\nenabled = true\nroot = \"" + std::string(64, '1') + "\"\n" + more);
    if (!wrong) return wrong.error().text();
    return wrong->notes.empty() ? std::string("was read") : wrong->notes.front();
  };
  const std::string by_examples = "weights = \"examples\"\n";
  EXPECT_EQ(refusal("clients_min = 4\n", "updates = 4\n" + by_examples), "was read");
  EXPECT_EQ(refusal("clients_min = 9\nquorum = 0.5\n", "updates = 4\nconcurrency = 8\n" + by_examples),
            "was read")
      << "the quorum of a group has an effect";
  EXPECT_THAT(refusal("clients_min = 4\n", "updates = 3\n" + by_examples),
              HasSubstr("as many clients form a group, whose sum needs 4"));
  EXPECT_THAT(refusal("clients_min = 4\n", "updates = 5\n" + by_examples),
              HasSubstr("a group needs cohort.buffered.updates = 5 clients"));
  EXPECT_THAT(refusal("clients_min = 4\n", "updates = 4\nconcurrency = 3\n" + by_examples),
              HasSubstr("a group has cohort.buffered.updates = 4 clients"));
  EXPECT_THAT(refusal("clients_min = 4\n", "updates = 4\n"), HasSubstr("set it to \"examples\""));
  EXPECT_THAT(refusal("clients_min = 4\n", "updates = 4\nconcurrency = 4\n" + by_examples,
                      "[strategy]\nselection = \"by_examples\"\n"),
              HasSubstr("groups are formed by when clients are ready"));
  // Against an active aggregator a sum has 13 clients at least with the defaults.
  EXPECT_THAT(refusal("clients_min = 13\n", "updates = 12\n" + by_examples, "threat_model = \"active\"\n"),
              HasSubstr("whose sum needs 13"));
}

// The catalogue and the choices of the schema are the same.
TEST(FederationSchema, EveryStrategyIsInTheCatalogueOnce) {
  std::vector<std::string> named, chosen;
  for (const Strategy& strategy : strategies()) {
    named.push_back(std::string(key_of(strategy.kind)) + " " + std::string(strategy.name));
    EXPECT_FALSE(strategy.what.empty() || strategy.source.empty() || strategy.memory.empty()) << named.back();
  }
  std::vector<std::string> with_options;
  for (const config::Table& table : federation_schema().tables) {
    if (table.name.starts_with("strategy.")) with_options.emplace_back(table.name.substr(9));
    if (table.name != "strategy" && table.name != "cohort") continue;
    for (const config::Setting& setting : table.settings)
      for (const std::string_view choice : setting.choices)
        chosen.push_back(std::string(setting.key) + " " + std::string(choice));
  }
  EXPECT_THAT(named, ::testing::UnorderedElementsAreArray(chosen));
  for (const std::string& name : with_options)
    EXPECT_EQ(std::ranges::count(strategies(), name, &Strategy::name), 1) << name;
}

}  // namespace
}  // namespace hansa::server
