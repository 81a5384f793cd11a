#include "server/config/federation_config.h"

#include <algorithm>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/document.h"
#include "common/files.h"
#include "common/methods.h"
#include "server/config/federation_schema.h"
#include "tests/config/federation_file.h"

namespace hansa::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

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
