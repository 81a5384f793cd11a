// A run folder as a store: identity, records, locks, readers.
#include <cmath>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/server_parts/run_folder_fixture.h"
#include "tests/server_parts/small_disk.h"

namespace hansa::server {
namespace {

std::vector<nlohmann::json> lines_of(const std::filesystem::path& path) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

TEST_F(RunFolderTest, RemembersARunAcrossOpens) {
  {
    const auto store = open();
    EXPECT_FALSE(store->position()->has_value());
    EXPECT_FALSE(store->identity()->has_value());
    ASSERT_TRUE(begin(*store));
    EXPECT_EQ(store->position()->value().round, RoundId{0});
    EXPECT_EQ(store->position()->value().model, vector_digest(model_of(0)));
    ASSERT_TRUE(commit(*store, 1));
    ASSERT_TRUE(commit(*store, 2));
    ASSERT_TRUE(store->record_evaluation(RoundId{0}, {{"loss", 9, 3}}));
    ASSERT_TRUE(store->record_evaluation(RoundId{2}, {{"loss", 1, 3}}));
    ASSERT_TRUE(store->record_evaluation(RoundId{2}, {{"loss", 2, 3}, {"accuracy", 1, 3}}));
  }
  const auto store = open();
  ASSERT_TRUE(begin(*store));
  const auto position = store->position()->value();
  EXPECT_EQ(position.round, RoundId{2});
  std::vector<float> model(18'000);
  ASSERT_TRUE(store->get_model(position.model, model));
  EXPECT_EQ(model, model_of(2));
  const Digest first = vector_digest(model_of(1));
  EXPECT_TRUE(same(store->round(RoundId{2})->value(), record_of(2, position.model, first)));
  EXPECT_FALSE(store->round(RoundId{3})->has_value());
  EXPECT_FALSE(store->round(RoundId{0})->has_value());
  const auto rounds = store->rounds().value();
  ASSERT_EQ(rounds.size(), 2U);
  EXPECT_TRUE(same(rounds[0], record_of(1, first, vector_digest(model_of(0)))));
  EXPECT_TRUE(same(rounds[1], record_of(2, position.model, first)));
  EXPECT_EQ(store->evaluation(RoundId{2})->value(), (Metrics{{"loss", 2, 3}, {"accuracy", 1, 3}}));
  EXPECT_FALSE(store->evaluation(RoundId{1})->has_value());
  const auto evaluations = store->evaluations().value();
  ASSERT_EQ(evaluations.size(), 2U);
  EXPECT_EQ(evaluations[0].first, RoundId{0});
  const auto identity = store->identity()->value();
  EXPECT_EQ(identity.seed, identity_of(model_of(0)).seed);
  EXPECT_EQ(identity.layout, identity_of(model_of(0)).layout);
}

TEST_F(RunFolderTest, KeepsTheLastAbandonedAttempts) {
  {
    const auto store = open();
    ASSERT_TRUE(begin(*store));
    for (std::uint32_t i = 1; i <= abandoned_attempts_max + 3; ++i)
      ASSERT_TRUE(store->record_abandoned(
          {RoundId{1}, i, "2026-01-01T00:00:00Z", AbandonCause::updates, "2 of 3 \xFF updates"}));
  }
  const auto kept = open()->abandoned_attempts();
  ASSERT_TRUE(kept) << kept.error().text();
  ASSERT_EQ(kept->size(), abandoned_attempts_max);
  EXPECT_EQ(kept->front().attempt, 4U);
  EXPECT_EQ(kept->back(), (AbandonedAttempt{RoundId{1}, abandoned_attempts_max + 3, "2026-01-01T00:00:00Z",
                                            AbandonCause::updates, "2 of 3 \xFF updates"}));
}

// What pages show of long runs is read in parts.
TEST_F(RunFolderTest, PartsOfALongRunAreReadAlone) {
  fill(5);
  const auto reader = RunFolder::open_read_only(path_);
  ASSERT_TRUE(reader) << reader.error().text();
  const auto some = (*reader)->rounds(RoundId(2), RoundId(3));
  ASSERT_TRUE(some) << some.error().text();
  ASSERT_EQ(some->size(), 2U);
  EXPECT_TRUE(same((*some)[0], (*reader)->round(RoundId(2))->value()));
  EXPECT_EQ((*some)[1].round, RoundId(3));
  const auto of_client = (*reader)->rounds_of("visby", 3);
  ASSERT_TRUE(of_client) << of_client.error().text();
  ASSERT_EQ(of_client->size(), 3U);
  EXPECT_EQ((*of_client)[0].round, RoundId(5)) << "the newest first";
  EXPECT_EQ((*of_client)[2].round, RoundId(3));
  EXPECT_EQ((*of_client)[0].outcome, Outcome::late);
  EXPECT_EQ((*of_client)[0].reason, "after the deadline: \"12\" s");
  EXPECT_EQ((*of_client)[0].started_at, "2024-05-01T12:00:00Z");
  EXPECT_EQ((*reader)->rounds_of("x' OR '1'='1", 3)->size(), 0U);
  EXPECT_EQ((*reader)->rounds_without_model()->size(), 0U);
}

TEST_F(RunFolderTest, NotANumberInAMetricComesBackAsNotANumber) {
  const auto store = open();
  ASSERT_TRUE(begin(*store));
  const Digest model = store->put_model(model_of(1)).value();
  RoundRecord record = record_of(1, model, {});
  for (Participation& participation : record.participations)
    participation.metrics = {{"loss", std::nan(""), 600}};
  record.participations[0].metrics.push_back({"bad \xFF name", 1, 0});
  record.participations[0].train_seconds = std::nan("");
  ASSERT_TRUE(store->commit_round(record));
  const auto kept = store->round(RoundId{1})->value().participations[0];
  ASSERT_EQ(kept.metrics.size(), 2U);
  EXPECT_TRUE(std::isnan(kept.metrics[0].sum));
  EXPECT_EQ(kept.metrics[0].count, 600);
  EXPECT_EQ(kept.metrics[1].name, "bad \xFF name");
  EXPECT_TRUE(std::isnan(kept.train_seconds));
  EXPECT_TRUE(lines_of(store->metrics_path()).at(0)["train"]["loss"].is_null());
}

TEST_F(RunFolderTest, AnotherIdentityIsRefusedNamingTheDifference) {
  fill(0);
  const auto initial = model_of(0);
  const auto store = open();
  const auto refusal = [&](RunIdentity identity) {
    const auto begun = store->begin_run(identity, initial);
    EXPECT_FALSE(begun);
    EXPECT_EQ(begun.error().code, ErrorCode::usage);
    return begun ? "" : begun.error().text();
  };
  RunIdentity other = identity_of(initial);
  other.federation = "inland";
  EXPECT_NE(refusal(other).find("the federation \"harbour\", and now it is \"inland\""), std::string::npos);
  other = identity_of(initial);
  other.seed = 5;
  EXPECT_NE(refusal(other).find("the seed \"18446744073709551609\", and now it is \"5\""), std::string::npos);
  other = identity_of(initial);
  other.archive = other.layout;
  EXPECT_NE(refusal(other).find("the model archive"), std::string::npos);
  const auto other_model = model_of(7);
  EXPECT_NE(store->begin_run(identity_of(other_model), other_model).error().text().find("the initial model"),
            std::string::npos);
  EXPECT_EQ(store->begin_run(identity_of(initial), other_model).error().code, ErrorCode::model);
}

TEST_F(RunFolderTest, RoundsComeInOrderWithModelsThatAreThere) {
  const auto store = open();
  const auto unknown = sha256(std::string_view("unknown"));
  EXPECT_FALSE(store->commit_round(record_of(1, unknown, {})));
  ASSERT_TRUE(begin(*store));
  EXPECT_FALSE(store->commit_round(record_of(1, unknown, {})));
  EXPECT_FALSE(commit(*store, 2));
  ASSERT_TRUE(commit(*store, 1));
  EXPECT_FALSE(commit(*store, 1));
  EXPECT_FALSE(store->record_evaluation(RoundId{2}, {}));
  EXPECT_EQ(store->position()->value().round, RoundId{1});
}

TEST_F(RunFolderTest, ARecordThatCannotBeKeptWholeIsNotKeptAtAll) {
  const auto store = open();
  ASSERT_TRUE(begin(*store));
  RoundRecord record = record_of(1, store->put_model(model_of(1)).value(), {});
  record.participations.push_back(record.participations.front());  // the same client twice
  EXPECT_FALSE(store->commit_round(record));
  EXPECT_EQ(store->position()->value().round, RoundId{0});
  EXPECT_TRUE(store->rounds()->empty());
  ASSERT_TRUE(commit(*store, 1));
}

TEST_F(RunFolderTest, TwoAggregatorsCannotOpenOneRun) {
  const auto first = open();
  const auto second = RunFolder::open(path_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::storage);
  EXPECT_NE(second.error().what.find("process " + std::to_string(::getpid())), std::string::npos)
      << second.error().text();
}

TEST_F(RunFolderTest, AnotherProcessIsRefusedAndTheLockEndsWithItsHolder) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto store = RunFolder::open(path_);
    ::_exit(store ? 0 : 1);  // without destructors, like a crash
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  const auto store = open();
  const pid_t late = ::fork();
  if (late == 0) {
    const auto refused = RunFolder::open(path_);
    const bool named =
        !refused && refused.error().what.find(std::to_string(::getppid())) != std::string::npos;
    ::_exit(named ? 0 : 1);
  }
  ASSERT_EQ(::waitpid(late, &status, 0), late);
  EXPECT_EQ(status, 0);
}

TEST_F(RunFolderTest, StatusReadsWhileTheAggregatorWrites) {
  const auto writer = open();
  EXPECT_EQ(RunFolder::open_read_only(path_).value()->position()->has_value(), false);
  ASSERT_TRUE(begin(*writer));
  ASSERT_TRUE(commit(*writer, 1));
  const auto reader = RunFolder::open_read_only(path_);
  ASSERT_TRUE(reader) << reader.error().text();
  EXPECT_EQ((*reader)->position()->value().round, RoundId{1});
  ASSERT_TRUE(commit(*writer, 2));
  EXPECT_EQ((*reader)->position()->value().round, RoundId{2});
  EXPECT_EQ((*reader)->rounds()->size(), 2U);
  std::vector<float> model(18'000);
  EXPECT_TRUE((*reader)->get_model((*reader)->position()->value().model, model));
  EXPECT_EQ(commit(**reader, 3).error().code, ErrorCode::usage);
  EXPECT_FALSE((*reader)->record_evaluation(RoundId{1}, {}));
  EXPECT_FALSE((*reader)->put_layout("x"));
}

TEST_F(RunFolderTest, StatusReadsAClosedRunWithoutWritePermission) {
  fill(2);
  // Permissions do not stop root, so the files that a reader leaves behind are checked as well.
  std::filesystem::permissions(path_,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  const auto reader = RunFolder::open_read_only(path_);
  std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
  ASSERT_TRUE(reader) << reader.error().text();
  EXPECT_EQ((*reader)->rounds()->size(), 2U);
}

TEST_F(RunFolderTest, AFolderWithoutARunIsNotOpenedForReading) {
  EXPECT_EQ(RunFolder::open_read_only(folder_.path()).error().code, ErrorCode::storage);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "run.sqlite"));
}

TEST_F(RunFolderTest, AFileThatIsNoDatabaseIsRefused) {
  std::filesystem::create_directories(path_);
  std::ofstream(path_ / "run.sqlite") << std::string(5000, 'x');
  const auto opened = RunFolder::open(path_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::storage);
  EXPECT_NE(opened.error().location.find("run.sqlite"), std::string::npos);
}

TEST(RunFolder, AFullDiskIsAStorageErrorAndLosesNothing) {
  const SmallDisk disk("1500k");
  if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a small file system";
  const auto path = disk.path() / "run";
  std::uint32_t committed = 0;
  {
    const auto store = RunFolder::open(path);
    ASSERT_TRUE(store) << store.error().text();
    ASSERT_TRUE(begin(**store));
    Result<void> outcome;
    while (outcome && committed < 1000)
      if ((outcome = commit(**store, committed + 1))) ++committed;
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::storage) << outcome.error().text();
    EXPECT_EQ((*store)->position()->value().round, RoundId{committed});
  }
  ASSERT_GT(committed, 2U);
  {
    const auto reader = RunFolder::open_read_only(path);
    ASSERT_TRUE(reader) << reader.error().text();
    EXPECT_EQ((*reader)->position()->value().round, RoundId{committed});
    EXPECT_EQ((*reader)->rounds()->size(), committed);
  }
  // Once there is space again, the run continues.
  ASSERT_EQ(::mount("tmpfs", disk.path().c_str(), "tmpfs", MS_REMOUNT, "size=4m"), 0);
  const auto store = RunFolder::open(path);
  ASSERT_TRUE(store) << store.error().text();
  std::vector<float> model(18'000);
  ASSERT_TRUE((*store)->get_model((*store)->position()->value().model, model));
  EXPECT_EQ(model, model_of(committed));
  ASSERT_TRUE(commit(**store, committed + 1));
  EXPECT_EQ(lines_of((*store)->metrics_path()).size(), committed + 1);
}

}  // namespace
}  // namespace hansa::server
