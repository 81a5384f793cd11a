// Which runs belong to a federation, and which run is healthy.
#include "server/setup/run_setup.h"

#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>

#include "common/parameter_layout.h"
#include "common/vector_digest.h"
#include "protocols/enrolment/manifest_file.h"
#include "server/store/memory_catalogue.h"
#include "server/store/run_folder.h"
#include "tests/server_parts/store_fixtures.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

// Creates a run folder with this many committed rounds.
void make_run(const std::filesystem::path& folder, std::uint32_t rounds) {
  auto run = RunFolder::open(folder);
  ASSERT_TRUE(run) << run.error().text();
  ASSERT_TRUE(begin(**run));
  for (std::uint32_t round = 1; round <= rounds; ++round) ASSERT_TRUE(commit(**run, round));
}

TEST(Health, OnlyARunWithACommittedRoundIsHealthy) {
  const TemporaryFolder folder;
  FederationConfig config;
  config.name = "fashion";
  config.runs = folder / "runs";
  EXPECT_FALSE(read_health(config, *open_catalogue(config.runs)));
  make_run(config.runs / "fashion-20260102-030405", 0);
  const auto waiting = read_health(config, *open_catalogue(config.runs));
  ASSERT_FALSE(waiting);
  EXPECT_EQ(waiting.error().code, ErrorCode::quorum);
  make_run(config.runs / "fashion-20260102-030405-2", 3);
  const auto healthy = read_health(config, *open_catalogue(config.runs));
  ASSERT_TRUE(healthy) << healthy.error().text();
  EXPECT_EQ(healthy->last, RoundId(3));
}

// Regression: "fashion-mnist-..." was considered a run of "fashion".
TEST(Health, RunsOfAFederationWithTheSameNamePrefixAreNotItsOwn) {
  const TemporaryFolder folder;
  FederationConfig config;
  config.name = "fashion";
  config.runs = folder / "runs";
  make_run(config.runs / "fashion-20260102-030405", 2);
  make_run(config.runs / "fashion-mnist-20260102-030406", 5);
  const auto found = read_health(config, *open_catalogue(config.runs));
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(std::filesystem::path(found->run).filename(), "fashion-20260102-030405");
}

// Describes an archive of arbitrary bytes as a layout of one tensor.
Result<ArchiveFacts> describe(const std::filesystem::path& archive, std::span<const std::string>) {
  std::ifstream file(archive);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  HANSA_TRY(auto layout, ParameterLayout::create({{.name = "weight", .shape = {32}}}));
  return ArchiveFacts{sha256(text), std::move(layout), PageVector<float>(32, 1.0F)};
}

// On disk and in memory alike.
class PrepareRun : public ::testing::TestWithParam<const char*> {
 protected:
  PrepareRun() {
    config_.name = "fashion";
    config_.runs = folder_ / "runs";
    config_.model = folder_ / "model.pt";
    config_.rounds = 5;
    std::ofstream(config_.model) << "archive";
    if (std::string_view(GetParam()) == "memory")
      runs_ = std::make_unique<MemoryCatalogue>(folder_ / "scratch");
    else runs_ = open_catalogue(config_.runs);
  }
  Result<PreparedRun> prepare(RunChoice choice, const std::string& from = "") {
    return prepare_run(config_, *runs_, {choice, from}, describe);
  }
  // Commits a round whose model and velocity have these values.
  static void commit_values(server::Run& run, std::uint32_t round, float model, float velocity) {
    RoundRecord record;
    record.round = RoundId(round);
    record.base = run.position().value()->model;
    record.model = *run.put_model(std::vector<float>(32, model));
    const Digest vector = *run.put_model(std::vector<float>(32, velocity));
    // A new run has none of a training method's vectors: the devices keep theirs for the run that they belong to.
    record.state = {{"fedavgm.velocity", vector}, {"scaffold.control", vector}};
    ASSERT_TRUE(run.commit_round(record));
  }
  const TemporaryFolder folder_;
  FederationConfig config_;
  std::unique_ptr<RunCatalogue> runs_;
};

TEST_P(PrepareRun, FromARoundOfAnotherRunBringsItsModelAndItsStateVectors) {
  const std::vector<float> model(32, 2.0F), velocity(32, 0.5F);
  std::string first;
  {
    auto run = prepare(RunChoice::new_run);
    ASSERT_TRUE(run) << run.error().text();
    EXPECT_TRUE(run->initial_state.empty());
    commit_values(*run->store, 1, 2.0F, 0.5F);
    first = run->store->location();
    EXPECT_EQ(run->store->layout()->element_count(), 32U);
    EXPECT_EQ(std::filesystem::file_size(run->archive), 7U);
  }
  for (int start = 0; start < 2; ++start) {  // again from the new run's round 0
    auto run = prepare(RunChoice::new_run, first + (start == 0 ? "@1" : "@0"));
    ASSERT_TRUE(run) << run.error().text();
    ASSERT_EQ(run->initial_state.size(), 1U);
    EXPECT_EQ(run->initial_state[0].name, "fedavgm.velocity");
    std::vector<float> found(32);
    ASSERT_TRUE(run->store->get_model(run->initial_state[0].vector, found));
    EXPECT_EQ(found, velocity);
    const auto position = run->store->position();
    ASSERT_TRUE(position && *position);
    EXPECT_EQ((**position).model, vector_digest(model));
    const std::string again = run->store->location();
    run->store.reset();
    auto resumed = prepare(RunChoice::resume_or_new);
    ASSERT_TRUE(resumed) << resumed.error().text();
    ASSERT_TRUE(resumed->resumed);
    EXPECT_EQ(resumed->initial_state.size(), 1U) << "a restart before the first round has them as well";
    first = again;
  }
}

constexpr const char* other_version = "statistics.version";

// Statistics of one column.
ColumnStatistics some_statistics() { return {{1.5}, {0.25}}; }

TEST_P(PrepareRun, ARunOfAFederationWithStatisticsBeginsWithThem) {
  config_.statistics = StatisticsConfig{1, 1};
  auto run = prepare(RunChoice::resume_or_new);
  ASSERT_TRUE(run) << run.error().text();
  ASSERT_TRUE(run->unbegun);
  EXPECT_FALSE(*run->store->position());
  EXPECT_TRUE(run->statistics.empty());
  ASSERT_TRUE(begin(*run, config_, some_statistics()));
  EXPECT_FALSE(run->unbegun);
  EXPECT_EQ(run->statistics, vector_of(some_statistics()));
  const std::string name = run->run;
  run->store.reset();
  // A restart has the same numbers, also after rounds.
  for (std::uint32_t round = 1; round <= 2; ++round) {
    auto resumed = prepare(RunChoice::resume_or_new);
    ASSERT_TRUE(resumed) << resumed.error().text();
    EXPECT_EQ(resumed->run, name);
    EXPECT_FALSE(resumed->unbegun);
    EXPECT_EQ(resumed->statistics, vector_of(some_statistics()));
    EXPECT_TRUE(resumed->store->check_newest());
    commit_values(*resumed->store, round, 2.0F, 0.5F);
    const auto checked = resumed->store->verify();
    EXPECT_TRUE(checked && checked->problems.empty());
  }
}

TEST_P(PrepareRun, ARunThatWasStoppedBeforeItsStatisticsIsNoRun) {
  config_.statistics = StatisticsConfig{1, 1};
  ASSERT_TRUE(prepare(RunChoice::resume_or_new)->unbegun);
  auto again = prepare(RunChoice::resume_or_new);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_FALSE(again->resumed);
  EXPECT_TRUE(again->unbegun);
}

TEST_P(PrepareRun, ANewRunTakesOverTheStatisticsOfTheNewestRunOrOfTheOneItStartsFrom) {
  config_.statistics = StatisticsConfig{1, 1};
  std::string first;
  {
    auto run = prepare(RunChoice::new_run);
    ASSERT_TRUE(begin(*run, config_, some_statistics()));
    commit_values(*run->store, 1, 2.0F, 0.5F);
    first = run->store->location();
  }
  {
    auto run = prepare(RunChoice::new_run);
    ASSERT_TRUE(run) << run.error().text();
    EXPECT_FALSE(run->unbegun);
    EXPECT_EQ(run->statistics, vector_of(some_statistics()));
    EXPECT_TRUE(std::ranges::any_of(
        run->notes, [](const std::string& note) { return note.find(other_version) != std::string::npos; }));
  }
  for (const char* round : {"@0", "@1"}) {
    auto run = prepare(RunChoice::new_run, first + round);
    ASSERT_TRUE(run) << run.error().text();
    EXPECT_FALSE(run->unbegun);
    EXPECT_EQ(run->statistics, vector_of(some_statistics()));
    ASSERT_EQ(run->initial_state.size(), std::string_view(round) == "@1" ? 2U : 1U);
  }
}

TEST_P(PrepareRun, OtherStatisticsBeginANewRunThatAsksForThem) {
  config_.statistics = StatisticsConfig{1, 1};
  {
    auto run = prepare(RunChoice::new_run);
    ASSERT_TRUE(begin(*run, config_, some_statistics()));
    commit_values(*run->store, 1, 2.0F, 0.5F);
  }
  for (const auto& changed : {std::optional(StatisticsConfig{1, 2}), std::optional(StatisticsConfig{2, 1}),
                              std::optional<StatisticsConfig>()}) {
    config_.statistics = changed;
    auto run = prepare(RunChoice::resume_or_new);
    ASSERT_TRUE(run) << run.error().text();
    EXPECT_FALSE(run->resumed);
    EXPECT_NE(run->why.find("[statistics]"), std::string::npos) << run->why;
    EXPECT_EQ(run->unbegun.has_value(), changed.has_value());
    EXPECT_TRUE(run->statistics.empty());
    if (!changed) break;
    run->store.reset();
  }
}

TEST_P(PrepareRun, ARunBeginsFromAModelThatWasTrainedWithOtherStatistics) {
  config_.statistics = StatisticsConfig{1, 1};
  std::string first;
  {
    auto run = prepare(RunChoice::new_run);
    ASSERT_TRUE(begin(*run, config_, some_statistics()));
    commit_values(*run->store, 1, 2.0F, 0.5F);
    first = run->store->location();
  }
  const auto has_note = [](const PreparedRun& run, const char* text) {
    return std::ranges::any_of(run.notes,
                               [&](const std::string& note) { return note.find(text) != std::string::npos; });
  };
  config_.statistics->version = 2;
  {
    auto run = prepare(RunChoice::new_run, first + "@1");
    ASSERT_TRUE(run) << run.error().text();
    EXPECT_TRUE(run->unbegun);
    EXPECT_TRUE(has_note(*run, "with other statistics"));
  }
  config_.statistics.reset();
  auto run = prepare(RunChoice::new_run, first + "@1");
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_FALSE(run->unbegun);
  EXPECT_TRUE(has_note(*run, "the new run has none"));
}

// Issue 22: runs are records of how they were made.
TEST_P(PrepareRun, ARunKeepsItsConfigurationAndEachChangeWithItsRound) {
  config_.file = folder_ / "federation.toml";
  const auto start = [&](const char* text, std::uint32_t commits_to) {
    std::ofstream(config_.file) << text;
    auto run = prepare(RunChoice::resume_or_new);
    ASSERT_TRUE(run) << run.error().text();
    const auto said = std::ranges::count_if(
        run->notes, [](const std::string& note) { return note.find("has changed") != std::string::npos; });
    EXPECT_EQ(said, std::string_view(text) == "first" ? 0 : 1);
    for (std::uint32_t round = run->position.value + 1; round <= commits_to; ++round)
      commit_values(*run->store, round, 2.0F * static_cast<float>(round), 0.5F);
  };
  start("first", 2);
  start("first", 3);
  start("second", 3);  // no round was made with it
  start("third", 4);
  const auto run = prepare(RunChoice::resume_or_new);
  ASSERT_TRUE(run) << run.error().text();
  const auto kept = run->store->configurations();
  ASSERT_TRUE(kept) << kept.error().text();
  ASSERT_EQ(kept->size(), 2U);
  EXPECT_EQ(kept->at(0).after, RoundId(0));
  EXPECT_EQ(kept->at(0).text, "first");
  EXPECT_EQ(kept->at(1).after, RoundId(3));
  EXPECT_EQ(kept->at(1).text, "third");
}

TEST_P(PrepareRun, ARoundWhoseModelWasRemovedCannotBeStartedFrom) {
  config_.retention = *parse_retention("last:2", "");
  std::string name;
  {
    auto run = prepare(RunChoice::new_run);
    ASSERT_TRUE(run) << run.error().text();
    for (std::uint32_t round = 1; round <= 4; ++round)
      commit_values(*run->store, round, 2.0F * static_cast<float>(round), 0.5F);
    name = run->store->location();
  }
  const auto removed = prepare(RunChoice::new_run, name + "@2");
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::usage);
  EXPECT_NE(removed.error().text().find("no longer holds the model of round 2"), std::string::npos)
      << removed.error().text();
  EXPECT_EQ(removed.error().hint, "it holds the models of rounds 0, 3 and 4");
  EXPECT_TRUE(prepare(RunChoice::new_run, name + "@3"));
  EXPECT_NE(prepare(RunChoice::new_run, name + "@5").error().text().find("its last round is 4"),
            std::string::npos);
}

// A difference to an older model could make a variance negative. A parameter of that name is no variance.
TEST_P(PrepareRun, ABufferOfUpdatesRefusesAModelWithRunningVariances) {
  const auto start = [&](ParameterKind kind) {
    return prepare_run(
        config_, *runs_, {RunChoice::new_run, ""},
        [&](const std::filesystem::path&, std::span<const std::string>) -> Result<ArchiveFacts> {
          HANSA_TRY(auto layout,
                    ParameterLayout::create({{.name = "weight", .shape = {32}},
                                             {.name = "norm.running_var", .shape = {4}, .kind = kind}}));
          return ArchiveFacts{sha256("archive"), std::move(layout), PageVector<float>(36, 1.0F)};
        });
  };
  EXPECT_TRUE(start(ParameterKind::buffer)) << "rounds average it";
  config_.cohort.mode = CohortMode::buffered;
  const auto refused = start(ParameterKind::buffer);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::usage);
  EXPECT_NE(refused.error().text().find("norm.running_var"), std::string::npos) << refused.error().text();
  EXPECT_NE(refused.error().text().find("model.personal"), std::string::npos) << "the hint";
  EXPECT_TRUE(start(ParameterKind::trainable));
}

// The model's signature is checked before a run is created: clients would decline every task.
class AdversaryModelStart : public PrepareRun {
 protected:
  void sign(const secure_aggregation::SigningKey& key, const std::string& federation = "fashion",
            const std::string& archive = "archive") {
    const auto facts = describe(config_.model, {}).value();
    const auto manifest = secure_aggregation::sign(
        {federation, sha256(archive), facts.layout.digest(), {"small", "1", {}}}, key);
    ASSERT_TRUE(enrolment::write_manifest(*manifest, manifest_));
  }
  void expect_refused(const std::string& why) {
    const auto run = prepare(RunChoice::new_run);
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().code, ErrorCode::usage);
    EXPECT_NE(run.error().text().find(why), std::string::npos) << run.error().text();
    EXPECT_NE(run.error().hint.find("hansa model sign " + config_.model.string()), std::string::npos)
        << run.error().hint;
    EXPECT_TRUE(runs_->list()->empty());
  }
  const secure_aggregation::SigningKey root_ = secure_aggregation::SigningKey::generate().value();
  const std::filesystem::path manifest_ = enrolment::manifest_path(config_.model);
};

TEST_P(AdversaryModelStart, AModelThatIsNotSignedOrIsSignedForSomethingElseIsRefused) {
  config_.root = root_.public_key();
  expect_refused("does not exist");
  sign(*secure_aggregation::SigningKey::generate());
  expect_refused("is not signed by the key of secure_aggregation.root");
  sign(root_, "pumps");
  expect_refused("is for federation \"pumps\"");
  sign(root_, "fashion", "the archive before it was changed");
  expect_refused("is for archive");
  sign(root_);
  const auto run = prepare(RunChoice::new_run);
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_EQ(run->coordinator.model.approval->name, "small");
}

TEST_P(AdversaryModelStart, AResumedRunHasTheManifestThatItStartedWith) {
  config_.root = root_.public_key();
  sign(root_);
  ASSERT_TRUE(prepare(RunChoice::new_run));
  std::filesystem::remove(manifest_);
  const auto resumed = prepare(RunChoice::resume_or_new);
  ASSERT_TRUE(resumed) << resumed.error().text();
  EXPECT_TRUE(resumed->resumed);
  ASSERT_TRUE(resumed->coordinator.model.approval);
  EXPECT_EQ(resumed->coordinator.model.approval->name, "small");
}

TEST_P(AdversaryModelStart, ARunThatWasStartedUnsignedIsNotContinuedWithARootKey) {
  ASSERT_TRUE(prepare(RunChoice::new_run));
  config_.root = root_.public_key();
  EXPECT_FALSE(prepare(RunChoice::resume_or_new));
}

INSTANTIATE_TEST_SUITE_P(Stores, AdversaryModelStart, ::testing::Values("folder", "memory"));
INSTANTIATE_TEST_SUITE_P(Stores, PrepareRun, ::testing::Values("folder", "memory"));

}  // namespace
}  // namespace hansa::server
