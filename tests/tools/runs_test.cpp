// Runs are listed, archived and removed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include "common/files.h"
#include "common/folder_lock.h"
#include "common/parameter_layout.h"
#include "common/vector_digest.h"
#include "server/store/run_folder.h"
#include "tests/temporary_folder.h"
#include "tools/run_disposal.h"
#include "tools/run_list.h"

namespace hansa::tools {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Runs : public ::testing::Test {
 protected:
  // A run of three rounds. Evaluations: accuracy 0.5, 0.9, 0.7.
  [[nodiscard]] std::unique_ptr<server::RunFolder> make(const std::string& name, bool evaluated = true) {
    auto run = server::RunFolder::open(runs() / name).value();
    std::ofstream(run->archive_path()) << "archive";
    const auto layout = ParameterLayout::parse("trainable w 2\n", "").value();
    EXPECT_TRUE(run->put_layout(layout.text()));
    server::RunIdentity identity;
    identity.federation = "mine";
    identity.run = fs::path(name).filename();
    identity.layout = layout.digest();
    identity.started_from = "mine-20250101-000000@7";
    const std::array<float, 2> initial{0, 0};
    identity.initial_model = vector_digest(initial);
    EXPECT_TRUE(run->begin_run(identity, initial));
    constexpr std::array accuracies{0.5, 0.9, 0.7};
    for (std::uint32_t round = 1; round <= 3; ++round) {
      const std::array<float, 2> model{static_cast<float>(round), 0.5F};
      server::RoundRecord record;
      record.round = RoundId(round);
      record.base = run->position().value()->model;
      record.model = run->put_model(model).value();
      record.started_at = "2026-01-01T00:00:00Z";
      server::Participation participation;
      participation.client = "a";
      participation.outcome = server::Outcome::counted;
      participation.metrics = {{"loss", 10.0 - round, 2.0}};
      record.participations = {participation};
      EXPECT_TRUE(run->commit_round(record));
      if (!evaluated) continue;
      EXPECT_TRUE(run->record_evaluation(
          record.round, {{"loss", 1.0, 2.0}, {"accuracy", accuracies.at(round - 1) * 10, 10.0}}));
    }
    return run;
  }
  [[nodiscard]] fs::path runs() const { return folder_.path() / "runs"; }
  TemporaryFolder folder_;
};

TEST_F(Runs, AreListedByAgeWithStateOriginAndBestRound) {
  (void)make("mine-20260102-030405");
  const auto working = make("mine-20260101-010101-2");
  (void)make("simulated/mine-20260103-000000", false);
  ASSERT_TRUE(make_folders(runs() / "other" / "models"));
  ASSERT_TRUE(make_folders(runs() / "notes"));
  const auto list = list_runs(runs());
  ASSERT_TRUE(list) << list.error().text();
  ASSERT_EQ(list->size(), 4U);
  EXPECT_EQ(list->at(0).state, RunState::empty) << "its creation was interrupted";
  const RunSummary& first = list->at(1);
  EXPECT_EQ(first.name, "mine-20260101-010101-2");
  EXPECT_EQ(first.state, RunState::running);
  EXPECT_EQ(first.started, "2026-01-01T01:01:01Z");
  EXPECT_EQ(first.federation, "mine");
  EXPECT_EQ(first.started_from, "mine-20250101-000000@7");
  EXPECT_EQ(first.rounds, 3U);
  ASSERT_TRUE(first.metric);
  EXPECT_EQ(first.metric->name, "accuracy");
  EXPECT_EQ(first.metric->best_round, RoundId(2));
  EXPECT_DOUBLE_EQ(first.metric->best, 0.9);
  EXPECT_DOUBLE_EQ(first.metric->last, 0.7);
  EXPECT_EQ(list->at(2).state, RunState::stopped);
  EXPECT_EQ(list->at(3).name, "simulated/mine-20260103-000000");
  EXPECT_EQ(list->at(3).metric->of, MetricOf::training)
      << "without an evaluation, the clients' means in training";
  EXPECT_EQ(list->at(3).metric->best_round, RoundId(3)) << "a lower loss is better";
  EXPECT_FALSE(list_runs(runs(), "none")->at(1).metric);
}

TEST_F(Runs, ThatHaveAllOfTheirRoundsAreFinishedUntilTheyGetMore) {
  {
    const auto run = make("mine-20260102-030405");
    ASSERT_TRUE(run->record_end({RoundId(3), "2026-01-03T00:00:00Z", "all 3 rounds are done"}));
    EXPECT_EQ(run->end().value()->why, "all 3 rounds are done");
  }
  EXPECT_EQ(list_runs(runs())->at(0).state, RunState::finished);
  {
    const auto run = make("mine-20260103-030405");
    ASSERT_TRUE(run->record_end({RoundId(2), "2026-01-03T00:00:00Z", "all 2 rounds are done"}));
  }
  EXPECT_EQ(list_runs(runs())->at(1).state, RunState::stopped) << "round 3 came after that end";
}

TEST_F(Runs, ThatCannotBeReadAreListedWithTheReason) {
  (void)make("mine-20260102-030405");
  std::ofstream(runs() / "mine-20260102-030405" / "run.sqlite", std::ios::trunc)
      << "no database, but some text";
  ASSERT_TRUE(make_folders(runs() / "lost"));
  std::ofstream(runs() / "lost" / "metrics.jsonl") << "{}\n";
  const auto list = list_runs(runs());
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2U);
  for (const RunSummary& run : *list) {
    EXPECT_EQ(run.state, RunState::unreadable) << run.name;
    EXPECT_THAT(run.reason, HasSubstr(run.name));
  }
}

TEST_F(Runs, TheNewestOfAFolderIsFoundAndSimulationsDoNotCount) {
  (void)make("mine-20260102-030405");
  (void)make("mine-20260101-010101");
  (void)make("simulated/mine-20260103-000000");
  EXPECT_EQ(find_run(runs()).value(), runs() / "mine-20260102-030405");
  EXPECT_EQ(find_run(runs() / "mine-20260101-010101").value(), runs() / "mine-20260101-010101");
  ASSERT_TRUE(make_folders(folder_.path() / "empty"));
  EXPECT_FALSE(find_run(folder_.path() / "empty"));
}

TEST_F(Runs, InUseIsNeitherRemovedNorArchived) {
  const auto working = make("mine-20260102-030405");
  const auto held = HeldRun::open(runs() / "mine-20260102-030405");
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, ErrorCode::storage);
  EXPECT_THAT(held.error().text(), HasSubstr("is in use by process"));
  EXPECT_FALSE(HeldRun::open(runs())) << "a folder of runs is no run";
  EXPECT_EQ(list_runs(runs())->size(), 1U);
}

TEST_F(Runs, AnArchivedRunComesBackWithTar) {
  (void)make("mine-20260102-030405");
  const auto path = runs() / "mine-20260102-030405";
  const Digest history = server::RunFolder::open_read_only(path).value()->verify().value().history;
  auto held = HeldRun::open(path / "");
  ASSERT_TRUE(held) << held.error().text();
  const auto file = held->archive();
  ASSERT_TRUE(file) << file.error().text();
  EXPECT_EQ(*file, runs() / "archive" / "mine-20260102-030405.tar.gz");
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(list_runs(runs())->empty());
  const std::string unpack = "tar -xzf '" + file->string() + "' -C '" + runs().string() + "'";
  ASSERT_EQ(std::system(unpack.c_str()), 0);
  const auto check = server::RunFolder::open_read_only(path).value()->verify();
  ASSERT_TRUE(check) << check.error().text();
  EXPECT_TRUE(check->problems.empty());
  EXPECT_EQ(check->history, history);
  const auto again = HeldRun::open(path)->archive();
  ASSERT_FALSE(again) << "a file of this name is not replaced";
  EXPECT_TRUE(fs::exists(path / "run.sqlite"));
}

TEST_F(Runs, ARemovedRunIsGoneAndALinkIsNotFollowed) {
  (void)make("mine-20260102-030405");
  const auto path = runs() / "mine-20260102-030405";
  fs::create_directory_symlink(path, folder_.path() / "link");
  EXPECT_FALSE(HeldRun::open(folder_.path() / "link"));
  auto held = HeldRun::open(path);
  ASSERT_TRUE(held) << held.error().text();
  ASSERT_TRUE(held->remove());
  EXPECT_FALSE(fs::exists(path));
}

// What a crash in the middle of a removal leaves must not be taken for a damaged run.
TEST_F(Runs, WhatAnInterruptedRemovalLeavesIsNoRun) {
  (void)make("mine-20260102-030405");
  const auto path = runs() / "mine-20260102-030405";
  fs::remove(path / "metrics.jsonl");
  EXPECT_EQ(server::RunFolder::open(path).value()->rounds()->size(), 3U) << "still complete";
  fs::remove(path / "metrics.jsonl");
  fs::remove(path / "run.sqlite");
  EXPECT_TRUE(server::RunFolder::is_empty(path).value());
}

}  // namespace
}  // namespace hansa::tools
