// Which run a start resumes, when it begins a new one, and that it says why.
#include "server/setup/run_decision.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/parameter_layout.h"
#include "server/setup/run_setup.h"
#include "server/store/memory_catalogue.h"
#include "tests/server_parts/store_fixtures.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Describes an archive of arbitrary bytes as a layout of one tensor. Patterns of personal parameters change the layout.
Result<ArchiveFacts> describe(const std::filesystem::path& archive, std::span<const std::string> personal) {
  std::ifstream file(archive);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  HANSA_TRY(auto layout,
            ParameterLayout::create({{.name = personal.empty() ? "weight" : "head", .shape = {32}}}));
  return ArchiveFacts{sha256(text), std::move(layout), PageVector<float>(32, 1.0F)};
}

// On disk and in memory alike.
class RunDecisions : public ::testing::TestWithParam<const char*> {
 protected:
  RunDecisions() {
    config_.name = "fashion";
    config_.runs = folder_ / "runs";
    config_.model = folder_ / "model.pt";
    config_.rounds = 5;
    set_archive("archive");
    if (std::string_view(GetParam()) == "memory")
      runs_ = std::make_unique<MemoryCatalogue>(folder_ / "scratch");
    else runs_ = open_catalogue(config_.runs);
  }
  void set_archive(const std::string& bytes) { std::ofstream(config_.model) << bytes; }
  Result<PreparedRun> prepare(RunRequest request = {}) {
    return prepare_run(config_, *runs_, request, describe);
  }
  // Begins a run and commits this many rounds. Returns its name.
  std::string make(std::uint32_t rounds, RunKind kind = RunKind::production) {
    const auto run = prepare({.choice = RunChoice::new_run, .kind = kind});
    EXPECT_TRUE(run) << run.error().text();
    for (std::uint32_t round = 1; round <= rounds; ++round) {
      RoundRecord record;
      record.round = RoundId(round);
      record.model = *run->store->put_model(std::vector<float>(32, static_cast<float>(round)));
      record.base = run->store->position().value()->model;
      EXPECT_TRUE(run->store->commit_round(record));
    }
    return run->run;
  }
  void expect_new(const std::string& why, RunRequest request = {}) {
    const auto run = prepare(std::move(request));
    ASSERT_TRUE(run) << run.error().text();
    EXPECT_FALSE(run->resumed);
    EXPECT_THAT(run->why, HasSubstr(why));
  }
  void expect_refused(const std::string& name, const std::string& why, const std::string& hint) {
    const std::size_t runs = runs_->list()->size();
    const auto run = prepare({.choice = RunChoice::resume_named, .run = name});
    ASSERT_FALSE(run) << why;
    EXPECT_EQ(run.error().code, ErrorCode::usage);
    EXPECT_THAT(run.error().text(), HasSubstr("--run " + name + ": " + why));
    EXPECT_THAT(run.error().hint, HasSubstr(hint));
    EXPECT_EQ(runs_->list()->size(), runs) << "no run is begun";
  }
  const TemporaryFolder folder_;
  FederationConfig config_;
  std::unique_ptr<RunCatalogue> runs_;
};

// Also if someone moves a simulated run to the production runs.
TEST_P(RunDecisions, ASimulatedRunIsNeverResumedAndASimulationResumesNoProductionRun) {
  const std::string simulated = make(2, RunKind::simulated);
  expect_new("no run of \"fashion\" has begun");
  expect_refused(simulated, "is a simulated run", "--from " + simulated + "@2");
  const std::string production = make(1);
  const auto resumed = prepare();
  ASSERT_TRUE(resumed) << resumed.error().text();
  EXPECT_EQ(resumed->run, production);
  EXPECT_FALSE(prepare({.choice = RunChoice::resume_named, .kind = RunKind::simulated, .run = production}));
  const auto simulation = prepare({.kind = RunKind::simulated});
  ASSERT_TRUE(simulation);
  EXPECT_EQ(simulation->run, simulated);
}

TEST_P(RunDecisions, ANewRunMayStartFromASimulatedOneAndReportsIt) {
  const std::string simulated = make(2, RunKind::simulated);
  const auto run = prepare({.choice = RunChoice::new_run, .from = simulated + "@2"});
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_EQ(run->why, "--from " + simulated + "@2 was given");
  EXPECT_THAT(run->notes, ElementsAre(HasSubstr("a round of a simulated run")));
  EXPECT_EQ(run->store->identity()->value().kind, RunKind::production);
}

TEST_P(RunDecisions, TheNewestUnfinishedRunIsResumed) {
  const std::string name = make(3);
  const auto run = prepare();
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_TRUE(run->resumed);
  EXPECT_EQ(run->run, name);
  EXPECT_EQ(run->position, RoundId(3));
  EXPECT_EQ(run->why, "it is the newest run of \"fashion\" and has rounds left");
}

TEST_P(RunDecisions, ANewRunReportsWhyItBegins) {
  expect_new("no run of \"fashion\" has begun");
  const std::string name = make(3);
  expect_new("--new was given", {.choice = RunChoice::new_run});
  make(5);
  expect_new("has all of its 5 rounds");
}

TEST_P(RunDecisions, AChangedModelLayoutOrSeedBeginsANewRun) {
  const std::string first = make(3);
  set_archive("another archive");
  expect_new("the model archive changed since run " + first + " (round 3 of 5), which is not continued");
  make(1);
  config_.personal = {"head.*"};
  expect_new("the parameter layout (model.personal) changed since run");
  config_.seed = 7;
  config_.personal.clear();
  expect_new("the parameter layout (model.personal) and federation.seed changed");
}

TEST_P(RunDecisions, AnOlderRunIsResumedByName) {
  const std::string first = make(2);
  const std::string second = make(1);
  const auto run = prepare({.choice = RunChoice::resume_named, .run = first});
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_TRUE(run->resumed);
  EXPECT_EQ(run->run, first);
  EXPECT_EQ(run->position, RoundId(2));
  EXPECT_THAT(run->notes, ElementsAre(HasSubstr("run " + second + " is newer")));
}

TEST_P(RunDecisions, ANamedRunThatCannotBeResumedIsRefusedWithTheReason) {
  const std::string name = make(3);
  expect_refused("fashion-19990101-000000", "is no run in", "its newest runs are " + name);
  expect_refused("runs/simulated/fashion-1", "is a simulated run", "--from runs/simulated/fashion-1@ROUND");
  set_archive("another archive");
  expect_refused(name, "cannot be resumed: the model archive changed since it began",
                 "--from " + name + "@3");
  set_archive("archive");
  config_.rounds = 3;
  expect_refused(name, "has all of its 3 rounds", "raise federation.rounds");
}

TEST(NamedRun, MayBeGivenAsAPath) {
  const TemporaryFolder folder;
  FederationConfig config;
  config.name = "fashion";
  config.runs = folder / "runs";
  config.model = folder / "model.pt";
  std::ofstream(config.model) << "archive";
  const auto runs = open_catalogue(config.runs);
  const std::string name = prepare_run(config, *runs, {}, describe)->run;
  for (const char* ending : {"", "/"}) {
    const std::string path = (config.runs / name).string() + ending;
    const auto run = prepare_run(config, *runs, {.choice = RunChoice::resume_named, .run = path}, describe);
    ASSERT_TRUE(run) << run.error().text();
    EXPECT_EQ(run->run, name);
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, RunDecisions, ::testing::Values("folder", "memory"));

}  // namespace
}  // namespace hansa::server
