// GET /runs and below, of runs that a real store has written.
#include <fstream>

#include <gmock/gmock.h>

#include "server/store/run_catalogue.h"
#include "tests/monitor/api_fixture.h"

namespace hansa::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ApiRuns = ApiTest;

constexpr const char* run_path = "/runs/harbour-20260102-030405";

TEST_F(ApiRuns, TheNewestRunIsListedFirstWithItsBestRound) {
  make_run({});
  make_run({"harbour-20260102-040000", 2, "harbour-20260102-030405@3"});
  make_run({"harbour-20260102-020000", 1, "", RunKind::simulated});
  {
    const auto store = *RunFolder::open(runs_folder() / "harbour-20260102-030405");
    ASSERT_TRUE(store->record_evaluation(RoundId(2), {{"loss", 50, 100}, {"accuracy", 90, 100}}));
    ASSERT_TRUE(store->record_evaluation(RoundId(3), {{"loss", 50, 100}, {"accuracy", 80, 100}}));
    ASSERT_TRUE(store->record_end({RoundId(3), "2026-01-02T03:10:00Z", "all 3 rounds are done"}));
  }
  const Json runs = json(get("/runs"));
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_EQ(runs[0]["run"], "harbour-20260102-040000");
  EXPECT_EQ(runs[0]["state"], "stopped");
  EXPECT_EQ(runs[0]["best"]["metric"], "training accuracy");
  EXPECT_EQ(runs[0]["rounds_configured"], 20);
  EXPECT_EQ(runs[0]["started_at"], "2026-01-02T04:00:00Z");
  EXPECT_EQ(runs[1]["state"], "finished");
  EXPECT_EQ(runs[1]["best"], (Json{{"round", 2}, {"metric", "accuracy"}, {"value", 0.9}}));
  EXPECT_EQ(runs[1]["last"], (Json{{"metric", "accuracy"}, {"value", 0.8}}));
  EXPECT_EQ(runs[2]["run"], "simulated/harbour-20260102-020000");
  EXPECT_EQ(runs[2]["kind"], "simulated");
}

TEST_F(ApiRuns, ARunOnWhichAProcessWorksIsRunning) {
  make_run({});
  const auto store = RunFolder::open(runs_folder() / "harbour-20260102-030405");
  EXPECT_EQ(json(get("/runs"))[0]["state"], "running");
}

TEST_F(ApiRuns, ARunThatCannotBeReadIsListedWithTheProblem) {
  make_run({});
  const auto damaged = runs_folder() / "harbour-20260103-000000";
  std::filesystem::create_directories(damaged);
  std::ofstream(damaged / "run.sqlite") << std::string(8'192, 'x');
  std::filesystem::create_directories(runs_folder() / "harbour-20260104-000000" / "models");
  const Json runs = json(get("/runs"));
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_EQ(runs[0]["state"], "not begun");
  EXPECT_FALSE(runs[0].contains("problem"));
  EXPECT_EQ(runs[1]["state"], "unreadable");
  EXPECT_THAT(runs[1]["problem"].get<std::string>(), HasSubstr("run.sqlite"));
  EXPECT_EQ(error_code(get("/runs/harbour-20260103-000000"), 500), "storage");
  EXPECT_EQ(error_code(get("/runs/harbour-20260104-000000"), 404), "not_begun");
  // It is read again when it was repaired.
  std::filesystem::remove_all(damaged);
  make_run({"harbour-20260103-000000", 1});
  EXPECT_EQ(json(get("/runs"))[1]["state"], "stopped");
}

TEST_F(ApiRuns, ARunHasItsIdentityAndItsHistory) {
  const auto folder = make_run({});
  {
    const auto store = *RunFolder::open(folder);
    ASSERT_TRUE(store->record_abandoned(
        {RoundId(4), 1, "2026-01-02T03:10:00Z", AbandonCause::updates, "<b>\x1b quorum"}));
    ASSERT_TRUE(store->put_configuration(RoundId(2), federation_text + "[training]\nepochs = 2\n"));
  }
  const Json run = json(get(run_path));
  EXPECT_EQ(run["seed"], "18446744073709551609") << "as text, because a number of JavaScript has 53 bits";
  EXPECT_EQ(run["model"], (Json{{"parameters", 18'000}, {"bytes", 72'000}}));
  EXPECT_EQ(run["configured_after"], Json({0, 2}));
  EXPECT_EQ(run["abandoned"][0]["reason"], "<b>\x1b quorum");
  EXPECT_EQ(run["statistics"], nullptr);
  EXPECT_EQ(run["method"], "sgd");
  EXPECT_EQ(run["optimizer"], "fedavg");
  EXPECT_EQ(run["why_ended"], nullptr);
  const Json configuration = json(get(std::string(run_path) + "/configuration"));
  ASSERT_EQ(configuration.size(), 2U);
  EXPECT_EQ(configuration[1]["after"], 2);
  EXPECT_THAT(configuration[1]["text"].get<std::string>(), HasSubstr("epochs = 2"));
}

TEST_F(ApiRuns, RoundsAreReadInPages) {
  make_run({"harbour-20260102-030405", 7});
  const auto numbers = [&](std::map<std::string, std::string> query) {
    const Json answer = json(get(std::string(run_path) + "/rounds", std::move(query)));
    EXPECT_EQ(answer["last"], 7);
    std::vector<int> out;
    for (const Json& round : answer["rounds"]) out.push_back(round["round"]);
    return out;
  };
  EXPECT_THAT(numbers({}), ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(numbers({{"after", "2"}, {"limit", "3"}}), ElementsAre(3, 4, 5));
  EXPECT_THAT(numbers({{"after", "6"}}), ElementsAre(7));
  EXPECT_THAT(numbers({{"after", "7"}}), ElementsAre());
  EXPECT_THAT(numbers({{"after", "4294967295"}, {"limit", "2000"}}), ElementsAre());
  EXPECT_THAT(numbers({{"points", "4"}}), ElementsAre(1, 4, 7));
  EXPECT_THAT(numbers({{"points", "2"}}), ElementsAre(1, 7));
}

TEST_F(ApiRuns, ParametersThatMakeNoSenseAreRefused) {
  make_run({});
  const std::string rounds = std::string(run_path) + "/rounds";
  using Query = std::map<std::string, std::string>;
  for (const Query& query :
       {Query{{"after", "-1"}}, Query{{"after", ""}}, Query{{"after", "1e3"}}, Query{{"limit", "0"}},
        Query{{"limit", "2001"}}, Query{{"points", "1"}}, Query{{"points", "99999999999999999999"}},
        Query{{"points", "3"}, {"after", "1"}}, Query{{"<script>", "1"}}, Query{{"after", "4294967296"}}}) {
    EXPECT_EQ(error_code(get(rounds, query), 400), "usage") << query.begin()->first;
  }
  for (const char* path : {"/rounds/x", "/rounds/1x", "/rounds/4294967296"})
    EXPECT_EQ(error_code(get(std::string(run_path) + path), 400), "usage") << path;
  for (const char* path :
       {"/rounds/0", "/rounds/4", "/rounds/1/x", "/nothing", "/rounds/1/model/x", "/rounds/9/model"})
    EXPECT_EQ(error_code(get(std::string(run_path) + path), 404), "not_found") << path;
  EXPECT_EQ(error_code(get("/runs", {{"x", "1"}}), 400), "usage");
  EXPECT_EQ(error_code(handle({"POST", "/api/v1/runs", {}, "{}", true}), 404), "not_found");
}

TEST_F(ApiRuns, ARoundHasWhatItsParticipantsDid) {
  make_run({});
  const Json first = json(get(std::string(run_path) + "/rounds/1"));
  EXPECT_EQ(first["selected"], 7);
  EXPECT_EQ(first["counted"], 2);
  EXPECT_EQ(first["lost"], 5);
  EXPECT_EQ(first["examples"], 800);
  EXPECT_EQ(first["update_norm"], 0.5);
  EXPECT_EQ(first["secure"], nullptr);
  EXPECT_EQ(first["model_kept"], true);
  EXPECT_EQ(first["evaluation"], Json::array());
  EXPECT_EQ(first["training"][0], (Json{{"name", "loss"}, {"mean", 0.5}, {"count", 800.0}}));
  ASSERT_EQ(first["participants"].size(), 7U);
  EXPECT_EQ(first["participants"][0]["client"], "lubeck");
  EXPECT_EQ(first["participants"][0]["examples"], 600);
  const Json& late = first["participants"][2];
  EXPECT_EQ(late["outcome"], "late");
  EXPECT_EQ(late["reason"], "after the deadline: \"12\" s");
  EXPECT_EQ(late["examples"], nullptr);
  EXPECT_EQ(late["metrics"][0], (Json{{"name", "loss"}, {"mean", nullptr}, {"count", 0.0}}));
  EXPECT_EQ(first["layers"][1], (Json{{"name", "conv.bias"}, {"norm", 0.125}}));
  const Json secure = json(get(std::string(run_path) + "/rounds/2"));
  EXPECT_EQ(secure["secure"]["recovered"], 3);
  EXPECT_EQ(json(get(std::string(run_path) + "/rounds/3"))["layers"], nullptr) << "they are not known";
}

// The time of the newest file says that nothing has changed for long.
void make_older(const std::filesystem::path& folder) {
  const auto before = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    std::filesystem::last_write_time(entry.path(), before);
}

TEST_F(ApiRuns, ARunThatDidNotChangeForLongIsReadAgainWhenItDoes) {
  const auto folder = make_run({});
  make_older(folder);
  const std::string rounds = std::string(run_path) + "/rounds";
  ASSERT_EQ(json(get(rounds))["last"], 3);
  ASSERT_EQ(json(get(rounds))["last"], 3);
  const auto store = *RunFolder::open(folder);
  commit_next(*store);
  EXPECT_EQ(json(get(rounds))["last"], 4);
  ASSERT_TRUE(store->record_evaluation(RoundId(2), {{"accuracy", 9, 10}}));
  EXPECT_EQ(json(get(rounds))["rounds"][1]["evaluation"][0]["mean"], 0.9);
}

// What is kept from one request to the next is not what is in the run any more.
TEST_F(ApiRuns, WhatAnAggregatorWritesIsInTheNextAnswer) {
  const auto folder =
      make_run({"harbour-20260102-030405", 2, "", RunKind::production, {Retention::Keep::last, 2, ""}});
  const std::string rounds = std::string(run_path) + "/rounds";
  ASSERT_EQ(json(get(rounds))["rounds"].size(), 2U);
  const auto store = *RunFolder::open(folder, {Retention::Keep::last, 2, ""});
  commit_next(*store);
  ASSERT_TRUE(store->record_evaluation(RoundId(2), {{"accuracy", 9, 10}}));
  const Json after = json(get(rounds));
  ASSERT_EQ(after["rounds"].size(), 3U);
  EXPECT_EQ(after["rounds"][0]["model_kept"], false);
  EXPECT_EQ(after["rounds"][1]["evaluation"][0]["mean"], 0.9);
  ASSERT_TRUE(store->record_evaluation(RoundId(2), {{"accuracy", 8, 10}}));
  EXPECT_EQ(json(get(rounds))["rounds"][1]["evaluation"][0]["mean"], 0.8);
}

TEST_F(ApiRuns, AnotherRunOfTheSameNameIsNotMistakenForTheFirst) {
  const auto folder = make_run({});
  const std::string path = std::string(run_path) + "/rounds";
  ASSERT_EQ(json(get(path))["last"], 3);
  std::filesystem::remove_all(folder);
  EXPECT_EQ(error_code(get(path), 404), "not_found");
  make_run({"harbour-20260102-030405", 5});
  EXPECT_EQ(json(get(path))["last"], 5);
}

TEST_F(ApiRuns, TheModelHasItsLayersTheirNormsAndItsLineage) {
  make_run({});
  make_run({"harbour-20260102-040000", 4, "harbour-20260102-030405@2"});
  make_run({"harbour-20260102-050000", 1, "harbour-20260102-040000@4"});
  const Json model = json(get("/runs/harbour-20260102-050000/model"));
  EXPECT_EQ(model["parameters"], 18'000);
  EXPECT_EQ(model["layers"][0],
            (Json{{"name", "conv.weight"}, {"shape", {10, 1'790}}, {"values", 17'900}, {"trained", true}}));
  EXPECT_EQ(model["layers"][2]["trained"], false);
  EXPECT_EQ(model["lineage"], (Json{{{"run", "harbour-20260102-050000"}, {"round", 1}},
                                    {{"run", "harbour-20260102-040000"}, {"round", 4}},
                                    {{"run", "harbour-20260102-030405"}, {"round", 2}}}));
  EXPECT_THAT(model["export_command"].get<std::string>(),
              HasSubstr("harbour-20260102-050000@1' -o model.pt"));
  const Json norms = json(get("/runs/harbour-20260102-040000/model"))["norms"];
  EXPECT_EQ(norms["rounds"], Json({1, 2, 3, 4}));
  EXPECT_EQ(norms["by_layer"][0], (Json{{"name", "conv.weight"}, {"norms", {0.25, 0.25, nullptr, 0.25}}}));
}

// A run that names itself, and one that names a run that is gone.
TEST_F(ApiRuns, ALineageEnds) {
  make_run({"harbour-20260102-030405", 1, "harbour-20260102-030405@1"});
  EXPECT_EQ(json(get(std::string(run_path) + "/model"))["lineage"].size(), 64U);
  make_run({"harbour-20260102-040000", 1, "../../etc@1"});
  EXPECT_EQ(json(get("/runs/harbour-20260102-040000/model"))["lineage"][1],
            (Json{{"run", "../../etc"}, {"round", 1}}));
}

TEST_F(ApiRuns, TheValuesOfAModelAreAFile) {
  make_run({"harbour-20260102-030405", 3, "", RunKind::production, {Retention::Keep::last, 1, ""}});
  const http::Response values = get(std::string(run_path) + "/rounds/3/model");
  ASSERT_EQ(values.status, 200U) << values.body;
  EXPECT_EQ(values.content_type, "application/octet-stream");
  ASSERT_TRUE(values.file);
  const auto bytes = *read_binary_file(*values.file, 1 << 20);
  ASSERT_EQ(bytes.size(), 72'000U);
  const auto expected = model_of(3);
  EXPECT_EQ(std::memcmp(bytes.data(), expected.data(), bytes.size()), 0);
  EXPECT_THAT(values.headers,
              ::testing::Contains(std::pair<std::string, std::string>(
                  "Content-Disposition", "attachment; filename=\"harbour-20260102-030405-round-3.f32\"")));
  EXPECT_EQ(get(std::string(run_path) + "/rounds/0/model").status, 200U) << "the initial model";
  EXPECT_EQ(error_code(get(std::string(run_path) + "/rounds/1/model"), 404), "not_kept");
  // A link instead of the file would send any file of the machine.
  std::filesystem::remove(*values.file);
  std::filesystem::create_symlink("/etc/passwd", *values.file);
  EXPECT_EQ(error_code(get(std::string(run_path) + "/rounds/3/model"), 404), "not_kept");
}

// No name leads out of the folder of runs.
TEST_F(ApiRuns, OnlyNamesOfTheListAreRuns) {
  const auto folder = make_run({});
  const auto outside = folder_.path() / "secret-20260101-000000";
  std::filesystem::copy(folder, outside, std::filesystem::copy_options::recursive);
  std::filesystem::create_directory_symlink(outside, runs_folder() / "linked-20260101-000000");
  ASSERT_EQ(json(get("/runs")).size(), 1U) << "links are not followed";
  for (const char* path : {"/runs/linked-20260101-000000", "/runs/../../secret-20260101-000000",
                           "/runs/./harbour-20260102-030405x", "/runs/%2e%2e",
                           "/runs/harbour-20260102-030405/../x", "/runs/simulated"})
    EXPECT_EQ(get(path).status, 404U) << path;
  EXPECT_EQ(error_code(get("/runs/" + std::string(100'000, 'a')), 404), "not_found");
}

// A run folder that was unpacked from a file of somebody else.
TEST_F(ApiRuns, ALinkInARunFolderShowsNoOtherFile) {
  const auto folder = make_run({});
  std::ofstream(folder_.path() / "secret") << "root:x:0:0";
  std::filesystem::create_symlink(folder_.path() / "secret", folder / "config" / "after-2.toml");
  EXPECT_EQ(json(get(std::string(run_path) + "/configuration")).size(), 1U);
  std::filesystem::rename(folder / "config", folder_.path() / "config");
  std::filesystem::create_directory_symlink(folder_.path() / "config", folder / "config");
  EXPECT_EQ(json(get(std::string(run_path) + "/configuration")).size(), 0U);
}

TEST_F(ApiRuns, NamesThatAreHostileStayText) {
  make_run({"<script>-20260102-030405", 1});
  std::filesystem::rename(make_run({"x-20260102-030405", 1}), runs_folder() / "bad\xff\x01-20260102-030405");
  const http::Response answer = get("/runs");
  const Json runs = json(answer);
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(answer.body.find('\xff'), std::string::npos);
  EXPECT_EQ(answer.body.find('\x01'), std::string::npos);
}

TEST_F(ApiRuns, RunsOfSeveralFoldersHaveTheFoldersName) {
  make_run({});
  const auto other = folder_.path() / "other" / "runs";
  std::filesystem::create_directories(other);
  std::filesystem::copy(runs_folder() / "harbour-20260102-030405", other / "harbour-20260102-030405",
                        std::filesystem::copy_options::recursive);
  ApiParts parts;
  parts.runs = {runs_folder(), other};
  api_ = std::make_unique<Api>(std::move(parts));
  const Json runs = json(get("/runs"));
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(json(get("/runs/other/harbour-20260102-030405/rounds/1"))["round"], 1);
  EXPECT_EQ(json(get("/runs/harbour/harbour-20260102-030405"))["rounds"], 3);
  EXPECT_EQ(json(get("/federation"))["name"], "harbour") << "all runs are of this federation";
}

// Of a run that an older or newer version wrote.
TEST_F(ApiRuns, AConfigurationThatCannotBeReadHidesNothingElse) {
  make_run({"harbour-20260102-030405", 1, "", RunKind::production, {}, "[future]\nkey = 1\n"});
  const Json run = json(get(run_path));
  EXPECT_EQ(run["rounds_configured"], nullptr);
  EXPECT_EQ(run["method"], "");
  EXPECT_EQ(error_code(get(std::string(run_path) + "/privacy"), 409), "refused");
  EXPECT_THAT(json(get(std::string(run_path) + "/configuration"))[0]["text"].get<std::string>(),
              HasSubstr("future"));
}

}  // namespace
}  // namespace hansa::server
