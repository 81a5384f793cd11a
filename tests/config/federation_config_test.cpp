#include "server/config/federation_config.h"

#include <algorithm>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/document.h"
#include "common/files.h"
#include "common/methods.h"
#include "server/config/federation_schema.h"
#include "server/config/strategies.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr const char* minimal =
    "[federation]\nname = \"f\"\n[aggregator]\nkey = \"a.key\"\nadmitted = \"admitted\"\n[model]\narchive = "
    "\"m.pt\"\n";

class FederationFile : public ::testing::Test {
 protected:
  Result<FederationConfig> read(const std::string& text) {
    EXPECT_TRUE(write_file_atomically(file(), text));
    return read_federation_config(file());
  }
  [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "federation.toml"; }
  TemporaryFolder folder_;
};

TEST_F(FederationFile, ADataContractIsReadAndChecked) {
  EXPECT_FALSE(read(minimal)->data_contract);
  const std::string table = std::string(minimal) + "[data_contract]\n";
  const auto config =
      read(table +
           "columns = [\"age\", \"bmi\"]\nunits = [\"years\", \"kg/m2\"]\nlabel = \"outcome\"\n"
           "target = \"real\"\ndtype = \"float32\"\nshape = [2]\nminimum = [0, -inf]\n"
           "maximum = [130.5, 80]\n");
  ASSERT_TRUE(config) << config.error().text();
  const DataContract& contract = *config->data_contract;
  EXPECT_THAT(contract.columns, ElementsAre("age", "bmi"));
  EXPECT_EQ(contract.label, "outcome");
  EXPECT_EQ(contract.target, TargetType::real);
  EXPECT_EQ(contract.dtype, ElementType::float32);
  EXPECT_THAT(contract.shape, ElementsAre(2));
  EXPECT_THAT(contract.minimum, ElementsAre(0, std::numeric_limits<double>::lowest()));
  EXPECT_THAT(contract.maximum, ElementsAre(130.5, 80));

  const auto refusal = [&](const std::string& text) {
    const auto wrong = read(table + text);
    return wrong ? std::string("was read") : wrong.error().text();
  };
  EXPECT_THAT(refusal("columns = [\"a\", \"b\"]\nunits = [\"m\"]\n"),
              HasSubstr("data_contract.units: has 1 entries, but there are 2 columns"));
  EXPECT_THAT(refusal("shape = [1.5]\n"), HasSubstr("not a whole number"));
  EXPECT_THAT(refusal("shape = [\"x\"]\n"), HasSubstr("must be a list of numbers"));
  EXPECT_THAT(refusal("minimum = [nan]\n"), HasSubstr("minimum"));
  EXPECT_THAT(refusal("\n"), HasSubstr("data_contract.columns: is missing"));
  // What "hansa contract make" prints is read back.
  const auto again = read(std::string(minimal) + toml_of(contract));
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->data_contract, contract);
}

// Defaults exist in the schema and, for code that fills the struct itself, in the struct. Both must be equal.
TEST_F(FederationFile, AMinimalFileGivesTheDefaultsOfTheStruct) {
  const FederationConfig config = read(minimal).value();
  const FederationConfig expected;
  EXPECT_EQ(config.seed, expected.seed);
  EXPECT_EQ(config.rounds, expected.rounds);
  EXPECT_EQ(config.after_last_round, expected.after_last_round);
  EXPECT_EQ(config.bind, expected.bind);
  EXPECT_EQ(config.method, expected.method);
  EXPECT_EQ(config.selection, expected.selection);
  EXPECT_EQ(config.cohort.clients_min, expected.cohort.clients_min);
  EXPECT_EQ(config.cohort.fraction, expected.cohort.fraction);
  EXPECT_EQ(config.cohort.size_max, expected.cohort.size_max);
  EXPECT_EQ(config.cohort.quorum, expected.cohort.quorum);
  EXPECT_EQ(config.cohort.wait_max, expected.cohort.wait_max);
  EXPECT_EQ(config.cohort.deadline, expected.cohort.deadline);
  EXPECT_EQ(config.cohort.attempts_max, expected.cohort.attempts_max);
  EXPECT_EQ(config.limits.examples_max, expected.limits.examples_max);
  EXPECT_EQ(config.limits.magnitude_max, expected.limits.magnitude_max);
  EXPECT_EQ(config.limits.uploads_max, expected.limits.uploads_max);
  EXPECT_EQ(config.limits.spool_memory_mib, expected.limits.spool_memory_mib);
  EXPECT_EQ(config.retention, expected.retention);
  EXPECT_FALSE(config.evaluation);
  EXPECT_EQ(config.evaluation_every, expected.evaluation_every);
  EXPECT_EQ(config.evaluation_threads, expected.evaluation_threads);
  EXPECT_THAT(config.simulated_clients, ElementsAre());
}

// A client accepts every value that a federation file may set.
TEST(FederationSchema, TheRangesOfTrainingAreWithinThoseOfTheMethod) {
  const auto& tables = federation_schema().tables;
  const auto training = std::ranges::find(tables, "training", &config::Table::name);
  ASSERT_NE(training, tables.end());
  for (const config::Setting& setting : training->settings) {
    SCOPED_TRACE(setting.key);
    if (setting.key == "precision") continue;  // the option "bfloat16"
    const auto option = std::ranges::find(sgd_options(), setting.key, &OptionDescription::name);
    ASSERT_NE(option, sgd_options().end());
    if (setting.kind == config::Kind::boolean) {
      EXPECT_EQ(option->range.most, 1);  // no is 0, and yes is 1
      continue;
    }
    EXPECT_GE(setting.range.least, option->range.least);
    EXPECT_LE(setting.range.most, option->range.most);
    const auto excludes = [](auto bound) { return bound == decltype(bound)::exclusive; };
    if (setting.range.least == option->range.least && excludes(option->range.at_least)) {
      EXPECT_TRUE(excludes(setting.range.at_least));
    }
    if (setting.range.most == option->range.most && excludes(option->range.at_most)) {
      EXPECT_TRUE(excludes(setting.range.at_most));
    }
    EXPECT_EQ(setting.kind == config::Kind::integer,
              std::holds_alternative<std::int64_t>(option->default_value));
  }
}

TEST_F(FederationFile, WhichModelsAreKept) {
  const auto keep = [&](const std::string& text) {
    return read(std::string(minimal) + "[store]\nkeep = " + text);
  };
  EXPECT_EQ(keep("\"last:3\"")->retention, (Retention{Retention::Keep::last, 3, ""}));
  EXPECT_EQ(keep("\"every:10\"")->retention, (Retention{Retention::Keep::every, 10, ""}));
  const std::string evaluation = "\n[evaluation]\nimages = \"i\"\nlabels = \"l\"\n";
  EXPECT_EQ(keep("\"best:2\"" + evaluation)->retention, (Retention{Retention::Keep::best, 2, "accuracy"}));
  EXPECT_EQ(keep("\"best:2\"\nmetric = \"loss\"" + evaluation)->retention,
            (Retention{Retention::Keep::best, 2, "loss"}));
  EXPECT_THAT(keep("\"best:2\"").error().text(), HasSubstr("compares evaluations, and there are none"));
  for (const char* wrong : {"\"last\"", "\"last:0\"", "\"last:1x\"", "\"newest:3\"", "\"all:3\""})
    EXPECT_THAT(keep(wrong).error().text(), HasSubstr("last:N")) << wrong;
}

TEST_F(FederationFile, EvaluationOnTheClientsNeedsNoDataHere) {
  EXPECT_FALSE(read(minimal)->client_evaluation);
  const std::string table = std::string(minimal) + "[evaluation]\n";
  const auto alone = read(table + "on_clients = { fraction = 0.2 }\n");
  ASSERT_TRUE(alone) << alone.error().text();
  EXPECT_EQ(alone->client_evaluation, (ClientEvaluation{0.2, 1}));
  EXPECT_FALSE(alone->evaluation);
  const auto both = read(table +
                         "images = \"i\"\nlabels = \"l\"\nevery = 3\n"
                         "on_clients = { fraction = 0.5, every = 7 }\n");
  ASSERT_TRUE(both) << both.error().text();
  EXPECT_EQ(both->client_evaluation, (ClientEvaluation{0.5, 7}));
  EXPECT_EQ(both->evaluation_every, 3U);
  EXPECT_TRUE(both->evaluation);

  const auto refusal = [&](const std::string& text) {
    const auto wrong = read(table + text);
    return wrong ? std::string("was read") : wrong.error().text();
  };
  EXPECT_THAT(refusal("on_clients = { fraction = 0.6 }\n"),
              HasSubstr("evaluation.on_clients.fraction: is 0.6"));
  EXPECT_THAT(refusal("on_clients = { fraction = 0 }\n"), HasSubstr("0.05"));
  EXPECT_THAT(refusal("on_clients = { fraction = 0.12 }\n"), HasSubstr("is no multiple of 0.05"));
  EXPECT_THAT(refusal("every = 5\non_clients = { fraction = 0.2 }\n"),
              HasSubstr("on_clients = { fraction = 0.2, every = 5 }"));
  EXPECT_THAT(refusal("on_clients = { every = 2 }\n"),
              HasSubstr("evaluation.on_clients.fraction: is missing"));
  EXPECT_THAT(refusal("on_clients = true\n"), HasSubstr("must be a table"));
  EXPECT_THAT(refusal("kind = \"csv\"\non_clients = { fraction = 0.2 }\n"),
              HasSubstr("evaluation.file: is missing"));
  EXPECT_THAT(refusal("labels = \"l\"\non_clients = { fraction = 0.2 }\n"),
              HasSubstr("evaluation.images: is missing"));
  EXPECT_THAT(refusal("every = 2\n"), HasSubstr("evaluation.images: is missing"));
  EXPECT_THAT(refusal("on_clients = { fraction = 0.2 }\n[store]\nkeep = \"best:3\"\n"),
              HasSubstr("compares evaluations, and there are none"));
  EXPECT_THAT(
      refusal("on_clients = { fraction = 0.2 }\n[schedule.until]\nreaches = 0.9\n[cohort]\nclients_min = 4\n"
              "[secure_aggregation]\nenabled = true\nroot = \"" +
              std::string(64, 'a') + "\"\n"),
      HasSubstr("add [evaluation] with data"));
}

TEST_F(FederationFile, ASecureSumHasRoomForTheMetricsOfTheClientsEvaluation) {
  const auto with = [&](std::size_t names, const std::string& personal) {
    std::string list;
    for (std::size_t i = 0; i < names; ++i) list += (i > 0 ? ", \"m" : "\"m") + std::to_string(i) + "\"";
    const auto config = read(
        "[federation]\nname = \"f\"\n[aggregator]\nkey = \"k\"\nadmitted = \"a\"\n"
        "[model]\narchive = \"m\"\n" +
        personal +
        "[cohort]\nclients_min = 6\n[evaluation]\non_clients = { fraction = 0.2 }\n"
        "[secure_aggregation]\nenabled = true\nroot = \"" +
        std::string(64, 'a') + "\"\nmetrics = [" + list + "]\n");
    return config ? std::string() : config.error().text();
  };
  EXPECT_EQ(with(64, ""), "");
  EXPECT_EQ(with(20, "personal = \"head.*\"\n"), "");
  EXPECT_THAT(with(21, "personal = \"head.*\"\n"), HasSubstr("at most 20 can be summed"));
}

TEST_F(FederationFile, StatisticsOfTheClientsData) {
  EXPECT_FALSE(read(std::string(minimal))->statistics);
  const auto config = read(std::string(minimal) + "[statistics]\ncolumns = 30\n");
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->statistics, (StatisticsConfig{30, 1}));
  EXPECT_EQ(read(std::string(minimal) + "[statistics]\ncolumns = 30\nversion = 4\n")->statistics->version,
            4U);

  const auto refusal = [&](const std::string& text) {
    const auto wrong = read(std::string(minimal) + text);
    return wrong ? std::string("was read") : wrong.error().text();
  };
  EXPECT_THAT(refusal("[statistics]\n"), HasSubstr("statistics.columns: is missing"));
  EXPECT_THAT(refusal("[statistics]\ncolumns = 0\n"), HasSubstr("statistics.columns: is 0"));
  EXPECT_THAT(refusal("[statistics]\ncolumns = 20000\n"), HasSubstr("1 to 16,384"));
  EXPECT_THAT(refusal("[statistics]\ncolumns = 3\n[data_contract]\ncolumns = [\"a\", \"b\"]\n"),
              HasSubstr("[data_contract] names 2 columns"));
  const std::string evaluation =
      "[evaluation]\nkind = \"csv\"\nfile = \"f\"\nlabel = \"y\"\nscale = \"federation\"\n";
  EXPECT_THAT(refusal(evaluation), HasSubstr("the federation has no statistics"));
  EXPECT_EQ(read(std::string(minimal) + "[statistics]\ncolumns = 3\n" + evaluation)->evaluation->scale,
            learning::Scaling::federation);
}

TEST_F(FederationFile, WhatHappensWhenTheTrainingDiverges) {
  EXPECT_EQ(read(std::string(minimal))->divergence, DivergenceConfig{});
  const auto config = read(std::string(minimal) +
                           "[divergence]\naction = \"stop\"\nloss_ratio = 2\nnorm_ratio = 8.5\nwindow = 4\n");
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->divergence, (DivergenceConfig{DivergenceAction::stop, 2, 8.5, 4}));
  for (const char* wrong : {"action = \"ignore\"", "loss_ratio = 1", "window = 2"})
    EXPECT_FALSE(read(std::string(minimal) + "[divergence]\n" + wrong + "\n")) << wrong;
}

TEST_F(FederationFile, SecureAggregationThatCannotBeSecureIsRefused) {
  const std::string root = "root = \"" + std::string(64, 'a') + "\"\n";
  const auto refused = [&](const std::string& tables) {
    const auto config = read(std::string(minimal) + tables);
    return config ? "accepted" : config.error().text();
  };
  const std::string on = "[secure_aggregation]\nenabled = true\n";
  EXPECT_THAT(refused(on), HasSubstr("there is no secure_aggregation.root"));
  EXPECT_THAT(refused("[cohort]\nclients_min = 3\n" + on + "root = \"" + std::string(64, 'x') + "\"\n"),
              HasSubstr("not a hex digit"));
  EXPECT_THAT(refused("[cohort]\nclients_min = 2\n" + on + root), HasSubstr("cohort.clients_min: is 2"));
  EXPECT_THAT(refused("[cohort]\nclients_min = 3\nsize_max = 2\n" + on + root + "honest_min = 2\n"),
              HasSubstr("cohort.size_max: is 2"));
  EXPECT_THAT(refused("[cohort]\nclients_min = 10\n" + on + root +
                      "honest_min = 2\ncorrupt = 0.45\ndropout = 0.49\nthreat_model = "
                      "\"active\"\n"),
              HasSubstr("cannot be secure and correct with 10 clients"));
  const auto config =
      read(std::string(minimal) + "[cohort]\nclients_min = 13\n" + on + root + "threat_model = \"active\"\n");
  ASSERT_TRUE(config) << config.error().text();
  ASSERT_TRUE(config->secure_aggregation);
  EXPECT_EQ(config->secure_aggregation->assumptions.threat_model, secure_aggregation::ThreatModel::active);
  EXPECT_FALSE(read(minimal).value().secure_aggregation) << "one switch, off by default";
}

TEST_F(FederationFile, CohortsThatClientsWouldRefuseAreReportedAtTheStartWithTheNumbers) {
  const std::string on = "[secure_aggregation]\nenabled = true\nroot = \"" + std::string(64, 'a') + "\"\n";
  const auto refused = [&](const std::string& cohort, const std::string& more) {
    const auto config = read(std::string(minimal) + "[cohort]\n" + cohort + "\n" + on + more);
    return config ? "accepted" : config.error().text();
  };
  EXPECT_THAT(
      refused("clients_min = 3", ""),
      HasSubstr("cohort.clients_min: is 3, of which 1 may be corrupt (secure_aggregation.corrupt); clients "
                "take part only in sums of 3 honest clients (secure_aggregation.honest_min); set it to 4"));
  EXPECT_EQ(refused("clients_min = 3", "honest_min = 2\n"), "accepted");
  EXPECT_EQ(refused("clients_min = 4", ""), "accepted");
  EXPECT_THAT(refused("clients_min = 8\nsize_max = 3", ""), HasSubstr("cohort.size_max: is 3, of which 1"));
  EXPECT_THAT(refused("clients_min = 12", "threat_model = \"active\"\n"),
              HasSubstr("is 12, of which 3 may be corrupt"));
  EXPECT_THAT(refused("clients_min = 4", "honest_min = 1\n"), HasSubstr("honest_min"));
}

TEST_F(FederationFile, PathsAreRelativeToItsFolder) {
  const FederationConfig config =
      read(std::string(minimal) + "[evaluation]\nimages = \"i\"\nlabels = \"/l\"\n").value();
  EXPECT_EQ(config.key, folder_.path() / "a.key");
  EXPECT_EQ(config.runs, folder_.path() / "runs");
  ASSERT_TRUE(config.evaluation);
  EXPECT_EQ(config.evaluation->images, folder_.path() / "i");
  EXPECT_EQ(config.evaluation->labels, "/l");
}

TEST_F(FederationFile, EveryKeyOfTheSchemaReachesTheStruct) {
  const FederationConfig config =
      read(
          "[federation]\nname = \"f\"\nseed = 7\nrounds = 3\nafter_last_round = \"stay\"\n"
          "[aggregator]\nbind = \"tcp://127.0.0.1:1\"\nkey = \"k\"\nadmitted = \"a\"\nruns = \"r\"\n"
          "[model]\narchive = \"m\"\n"
          "[training]\nepochs = 2\nbatch_size = 16\nlearning_rate = 0.5\nmomentum = 0.9\nweight_decay = 0.1\n"
          "steps_max = 4\n"
          "[cohort]\nclients_min = 5\nfraction = 0.25\nsize_max = 6\nquorum = 0.5\nwait_s = 1.5\ndeadline_s "
          "= 2\n"
          "attempts_max = 8\n"
          "[limits]\nexamples_max = 9\nmagnitude_max = 10\nuploads_max = 11\nspool_memory_mib = 12\n"
          "[evaluation]\nkind = \"idx\"\nimages = \"i\"\nlabels = \"l\"\nevery = 13\nthreads = 14\n")
          .value();
  EXPECT_EQ(config.seed, 7U);
  EXPECT_EQ(config.rounds, 3U);
  EXPECT_EQ(config.after_last_round, AfterLastRound::stay);
  EXPECT_EQ(config.bind, "tcp://127.0.0.1:1");
  EXPECT_EQ(config.method, sgd_method({2, 16, 0.5, 0.9, 0.1, 4}));
  EXPECT_EQ(config.cohort.clients_min, 5U);
  EXPECT_EQ(config.cohort.fraction, 0.25);
  EXPECT_EQ(config.cohort.size_max, 6U);
  EXPECT_EQ(config.cohort.quorum, 0.5);
  EXPECT_EQ(config.cohort.wait_max, std::chrono::milliseconds(1500));
  EXPECT_EQ(config.cohort.deadline, std::chrono::seconds(2));
  EXPECT_EQ(config.cohort.attempts_max, 8U);
  EXPECT_EQ(config.limits.examples_max, 9U);
  EXPECT_EQ(config.limits.magnitude_max, 10.0);
  EXPECT_EQ(config.limits.uploads_max, 11U);
  EXPECT_EQ(config.limits.spool_memory_mib, 12U);
  EXPECT_EQ(config.evaluation_every, 13U);
  EXPECT_EQ(config.evaluation_threads, 14);
}

TEST_F(FederationFile, ScheduleAndItsEndAreRead) {
  const std::string schedule =
      "[schedule]\nevery_s = 60\nat = [\"30 2 * * *\"]\nnew_examples = 500\nclients_with_new = 2\ncombine = "
      "\"any\"\nquiet = [\"22:00-06:00\"]\n";
  const FederationConfig config = read(std::string(minimal) + schedule +
                                       "[schedule.until]\nreaches = 0.95\nwithout_better = 20\nhours = 0.5\n")
                                      .value();
  EXPECT_EQ(config.schedule.every_s, 60U);
  ASSERT_EQ(config.schedule.at.size(), 1U);
  EXPECT_EQ(config.schedule.at[0].text(), "30 2 * * *");
  EXPECT_EQ(config.schedule.new_examples, 500U);
  EXPECT_EQ(config.schedule.clients_with_new, 2U);
  EXPECT_EQ(config.schedule.combine, Combine::any);
  EXPECT_EQ(config.schedule.quiet.size(), 1U);
  EXPECT_EQ(config.until, (UntilConfig{0.95, 20, 1800}));
  EXPECT_FALSE(read(minimal)->schedule.is_set());
}

TEST_F(FederationFile, ARunThatASingleClientCouldEndIsRefused) {
  const std::string until = "[schedule.until]\nreaches = 0.1\n";
  const std::string secure = "[cohort]\nclients_min = 4\n[secure_aggregation]\nenabled = true\nroot = \"" +
                             std::string(64, 'a') + "\"\n";
  const auto refused = read(std::string(minimal) + until + secure);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("add [evaluation]"));
  EXPECT_TRUE(read(std::string(minimal) + "[schedule.until]\nhours = 1\n" + secure));
}

TEST_F(FederationFile, SimulatedClientsAreTheMatchesOfAllPatternsInOrder) {
  const auto at = [&](const char* file) { return folder_.path() / file; };
  for (const char* file :
       {"b.toml", "a.toml", "a.toml.bak", "c.txt", "sites/x/client.toml", "sites/y/client.toml",
        "sites/y/deep/client.toml", "sites/.old/client.toml", "sites/y/client.toml.bak"}) {
    ASSERT_TRUE(make_folders(at(file).parent_path()));
    ASSERT_TRUE(write_file_atomically(at(file), std::string_view("")));
  }
  const auto matches = [&](const std::string& patterns) {
    return read(std::string(minimal) + "[simulation]\nclients = " + patterns + "\n")
        .value()
        .simulated_clients;
  };
  EXPECT_THAT(matches("\"*.toml\""), Contains(at("a.toml")));
  EXPECT_THAT(matches("\"sites/*/client.toml\""),
              ElementsAre(at("sites/x/client.toml"), at("sites/y/client.toml")));
  EXPECT_THAT(
      matches("\"sites/**/client.toml\""),
      ElementsAre(at("sites/x/client.toml"), at("sites/y/client.toml"), at("sites/y/deep/client.toml")));
  EXPECT_THAT(matches("\"**/client.toml\""), SizeIs(3));
  EXPECT_THAT(matches("[\"sites/**/client.toml\", \"b.toml\", \"sites/x/*.toml\", \"none/*\"]"),
              ElementsAre(at("b.toml"), at("sites/x/client.toml"), at("sites/y/client.toml"),
                          at("sites/y/deep/client.toml")));
  EXPECT_THAT(matches("\"sites/x\""), ElementsAre()) << "a folder is no client file";
}

TEST_F(FederationFile, ErrorsOfTheReaderNameTheLineToo) {
  struct Case {
    const char* toml;
    const char* error;
  };
  for (const auto& [toml, error] :
       {Case{"[aggregator]\nkey = \"k\"\nadmitted = \"a\"\n[model]\narchive = \"m\"\n[federation]\nname = "
             "\"no/name\"\n",
             "federation.toml:7: federation.name: is not a valid name"},
        Case{"[federation]\nname = \"f\"\n[model]\narchive = \"m\"\n[aggregator]\nkey = \"k\"\nadmitted = "
             "\"a\"\n"
             "bind = \"127.0.0.1:7470\"\n",
             "federation.toml:8: aggregator.bind: is \"127.0.0.1:7470\", which is not an address"},
        Case{"[federation]\nname = \"f\"\n[model]\narchive = \"m\"\n[aggregator]\nkey = \"k\"\nadmitted = "
             "\"a\"\n"
             "[simulation]\nclients = []\n",
             "federation.toml:9: simulation.clients"}}) {
    const auto config = read(toml);
    ASSERT_FALSE(config) << toml;
    EXPECT_THAT(config.error().text(), HasSubstr(error));
    EXPECT_EQ(config.error().code, ErrorCode::usage);
  }
}

// Examples appear in hints to the user, so each must be valid.
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
  EXPECT_THAT(refusal("[strategy]\nmethod = \"scaffold\"\n[strategy.scaffold]\ncorrection = \"beside\"\n"),
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
  EXPECT_THAT(refusal("clients_min = 12\n",
                      "[secure_aggregation]\nenabled = true\nroot = \"" + std::string(64, '1') + "\"\n"),
              HasSubstr("masks cancel out only within a cohort"));
  EXPECT_THAT(refusal("clients_min = 12\n", "[strategy]\naggregation = \"median\"\n"),
              HasSubstr("a fast client may have most of a buffer"));
  EXPECT_THAT(refusal("fraction = 0.5\n", ""), HasSubstr("cohort.buffered.concurrency limits"));
  EXPECT_THAT(refusal("size_max = 5\n", ""), HasSubstr("cohort.buffered.concurrency limits"));
  EXPECT_THAT(refusal("over_select = true\n", ""), HasSubstr("no buffer waits for a client"));
  for (const std::string name : {"by_examples", "new_data", "power_of_choice", "oort"}) {
    const std::string selection = "[strategy]\nselection = \"" + name + "\"\n";
    EXPECT_THAT(refusal("", selection), HasSubstr("none is selected"));
    EXPECT_EQ(refusal("", selection + "[cohort.buffered]\nconcurrency = 2\n"), "was read");
  }
  for (const char* condition : {"every_s = 60", "at = [\"0 3 * * *\"]", "new_examples = 10",
                                "clients_with_new = 1", "quiet = [\"08:00-18:00\"]"})
    EXPECT_THAT(refusal("", std::string("[schedule]\n") + condition + "\n"),
                HasSubstr("clients train continuously"))
        << condition;
  EXPECT_THAT(refusal("", "[cohort.buffered]\nupdates = 0\n"), HasSubstr("updates"));
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

TEST(FederationSchema, EveryExampleIsAccepted) {
  std::string toml;
  for (const auto& table : federation_schema().tables) {
    const std::string name(table.name);
    toml += (table.repeated ? "[[" + name + "]]" : "[" + name + "]") + "\n";
    for (const auto& setting : table.settings)
      toml += std::string(setting.key) + " = " + std::string(setting.example) + "\n";
  }
  const auto document = config::Document::parse(toml, "examples.toml", federation_schema());
  EXPECT_TRUE(document) << document.error().text();
}

}  // namespace
}  // namespace hansa::server
