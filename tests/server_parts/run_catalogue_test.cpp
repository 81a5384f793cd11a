// Runs by name, on disk and in memory alike.
#include "server/store/run_catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/store/memory_catalogue.h"
#include "tests/server_parts/store_fixtures.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Catalogue : public ::testing::TestWithParam<const char*> {
 protected:
  Catalogue() {
    if (std::string_view(GetParam()) == "memory")
      runs_ = std::make_unique<MemoryCatalogue>(folder_ / "scratch");
    else runs_ = open_catalogue(folder_ / "runs");
  }
  // A run of one round.
  void make(const std::string& name) {
    const auto run = runs_->create(name, {});
    ASSERT_TRUE(run) << run.error().text();
    ASSERT_TRUE(begin(**run));
    ASSERT_TRUE(commit(**run, 1));
  }
  const TemporaryFolder folder_;
  std::unique_ptr<RunCatalogue> runs_;
};

TEST_P(Catalogue, AnEmptyPlaceHasNoRuns) { EXPECT_THAT(*runs_->list(), IsEmpty()); }

TEST_P(Catalogue, ListsTheRunsByName) {
  make("b");
  make("a");
  make("c");
  EXPECT_THAT(*runs_->list(), ElementsAre("a", "b", "c"));
}

TEST(FolderCatalogue, TheFolderOfSimulatedRunsIsNoRun) {
  const TemporaryFolder folder;
  ASSERT_TRUE(begin(**open_catalogue(folder / "runs" / simulated_folder)->create("a", {})));
  EXPECT_THAT(*open_catalogue(folder / "runs")->list(), IsEmpty());
  open_catalogue(folder / "runs")->remove_abandoned();
  EXPECT_FALSE(std::filesystem::exists(folder / "runs" / simulated_folder / "lock"));
}

TEST_P(Catalogue, ARunIsEmptyUntilItBegins) {
  ASSERT_TRUE(runs_->create("a", {}));
  make("b");
  EXPECT_TRUE(*runs_->is_empty("a") || !*(*runs_->open_read_only("a"))->identity());
  EXPECT_FALSE(*runs_->is_empty("b"));
}

TEST_P(Catalogue, WhatNoRoundNamesIsRemovedFromRunsThatNobodyWorksOn) {
  make("a");
  make("b");
  const auto abandoned = model_of(9);
  {
    const auto run = runs_->open("a", {});
    ASSERT_TRUE((*run)->put_model(abandoned));
  }
  runs_->remove_abandoned();
  const auto run = runs_->open_read_only("a");
  std::vector<float> back(abandoned.size());
  EXPECT_FALSE((*run)->get_model(vector_digest(abandoned), back));
  EXPECT_EQ((*run)->position()->value().round, RoundId(1));
  EXPECT_TRUE((*run)->get_model((*run)->position()->value().model, back));
}

TEST_P(Catalogue, AnUndamagedRunVerifies) {
  make("a");
  const auto run = runs_->open_read_only("a");
  const auto check = (*run)->verify();
  ASSERT_TRUE(check) << check.error().text();
  EXPECT_EQ(check->last, RoundId(1));
}

TEST_P(Catalogue, ARunIsCreatedOnceAndOpenedAgain) {
  make("a");
  const auto twice = runs_->create("a", {});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, ErrorCode::storage);
  const auto run = runs_->open("a", {});
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_EQ((*run)->position()->value().round, RoundId(1));
  EXPECT_TRUE(commit(**run, 2));
}

TEST_P(Catalogue, AReaderSeesARunAndChangesNothing) {
  make("a");
  const auto run = runs_->open_read_only("a");
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_EQ((*run)->rounds()->size(), 1U);
  EXPECT_EQ((*run)->identity()->value().federation, "harbour");
  EXPECT_EQ(commit(**run, 2).error().code, ErrorCode::usage);
  EXPECT_EQ((*run)->record_evaluation(RoundId(1), {}).error().code, ErrorCode::usage);
  EXPECT_EQ((*run)->put_layout("x").error().code, ErrorCode::usage);
  EXPECT_EQ(runs_->open_read_only("b").error().code, ErrorCode::storage);
}

INSTANTIATE_TEST_SUITE_P(Stores, Catalogue, ::testing::Values("folder", "memory"));

}  // namespace
}  // namespace hansa::server
