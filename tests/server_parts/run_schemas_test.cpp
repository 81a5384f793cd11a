// Run folders that older and newer versions of Hansa wrote.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <SQLiteCpp/SQLiteCpp.h>

#include "tests/server_parts/run_folder_fixture.h"

namespace hansa::server {
namespace {

using RunSchemas = RunFolderTest;

// Gives the tables of the newest schema the form that they had in an older one.
void make_older(const std::filesystem::path& run, int schema) {
  SQLite::Database database((run / "run.sqlite").string(), SQLite::OPEN_READWRITE);
  database.exec(
      "ALTER TABLE run DROP COLUMN simulated; ALTER TABLE rounds DROP COLUMN update_norm; "
      "DROP TABLE abandoned_attempts; DROP TABLE run_end; "
      "PRAGMA user_version = " +
      std::to_string(schema));
  if (schema >= 7) return;
  database.exec(
      "DROP TABLE history; DROP TABLE round_state; DROP TABLE initial_state; ALTER TABLE rounds DROP COLUMN "
      "model_kept;"
      "ALTER TABLE published DROP COLUMN vector; ALTER TABLE published RENAME COLUMN delta TO step");
  if (schema < 3) database.exec("DROP TABLE published");
  if (schema < 2) database.exec("DROP TABLE secure_sum_metrics; DROP TABLE secure_sums");
}

TEST_F(RunSchemas, ANewerSchemaIsRefused) {
  fill(1);
  SQLite::Database((path_ / "run.sqlite").string(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 9");
  for (const auto& opened :
       {RunFolder::open(path_).map([](auto) {}), RunFolder::open_read_only(path_).map([](auto) {})}) {
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().what.find("newer Hansa (schema 9, this one knows 8)"), std::string::npos);
  }
}

// Schema 1 has no secure aggregation. Such a run can be read and continued.
TEST_F(RunSchemas, ARunOfTheFirstSchemaIsReadAndContinued) {
  fill(1);
  make_older(path_, 1);
  {
    const auto reader = RunFolder::open_read_only(path_);
    ASSERT_TRUE(reader) << reader.error().text();
    ASSERT_EQ((*reader)->rounds()->size(), 1U);
    EXPECT_FALSE((*reader)->rounds()->front().secure);
    EXPECT_TRUE((*reader)->rounds()->front().model_kept);
    EXPECT_EQ((*reader)->identity()->value().federation, "harbour");
    EXPECT_EQ(*(*reader)->published(RoundId(1)), std::nullopt);
  }
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, 2));  // of a secure round
  }
  const auto reader = RunFolder::open_read_only(path_);
  ASSERT_TRUE(reader) << reader.error().text();
  ASSERT_EQ((*reader)->rounds()->size(), 2U);
  EXPECT_TRUE((*reader)->rounds()->back().secure);
}

// Schema 7 added the digests of rows: an older run gets them when it is opened for writing.
TEST_F(RunSchemas, ARunOfAnOlderSchemaGetsTheDigestsOfItsRows) {
  fill(3);
  make_older(path_, 5);
  const auto verify = [&] {
    const auto reader = RunFolder::open_read_only(path_);
    return (*reader)->verify();
  };
  const auto before = verify();
  ASSERT_TRUE(before) << before.error().text();
  EXPECT_TRUE(before->history.is_zero());
  EXPECT_TRUE(std::ranges::any_of(before->notes, [](const std::string& note) {
    return note.find("the next start of its aggregator adds them") != std::string::npos;
  }));
  ASSERT_TRUE(commit(*open(), 4));
  const auto after = verify();
  ASSERT_TRUE(after) << after.error().text();
  EXPECT_FALSE(after->history.is_zero());
  SQLite::Database((path_ / "run.sqlite").string(), SQLite::OPEN_READWRITE)
      .exec("UPDATE rounds SET seconds = seconds + 1 WHERE round = 2");
  const auto changed = verify();
  ASSERT_TRUE(changed);
  EXPECT_TRUE(std::ranges::any_of(changed->problems, [](const std::string& problem) {
    return problem.find("round 2") != std::string::npos;
  }));
}

// Schema 8 added whether a run is simulated. Its digests cover that, and those of schema 7 stay valid.
TEST_F(RunSchemas, ARunOfTheSeventhSchemaKeepsItsDigestsAndIsNotSimulated) {
  fill(2);
  // The run has no archive, which verify() reports.
  const auto before = (*RunFolder::open_read_only(path_))->verify();
  ASSERT_TRUE(before) << before.error().text();
  make_older(path_, 7);
  {
    const auto reader = RunFolder::open_read_only(path_);
    ASSERT_TRUE(reader) << reader.error().text();
    EXPECT_EQ((*reader)->identity()->value().kind, RunKind::production);
    EXPECT_EQ((*reader)->verify()->problems, before->problems);
  }
  open();
  const auto reader = RunFolder::open_read_only(path_);
  EXPECT_EQ((*reader)->verify()->history, before->history);
  EXPECT_EQ((*reader)->verify()->problems, before->problems);
}

// Like the norms of layers below.
TEST_F(RunSchemas, TheArrivalsOfABufferAreKeptInTheirOrderAndNoneIsInTwoRounds) {
  const auto commit_with_arrivals = [](RunFolder& store, std::uint32_t round, std::vector<Arrival> arrivals) {
    RoundRecord record = record_of(round, *store.put_model(model_of(round)), (*store.position())->model);
    record.arrivals = std::move(arrivals);
    return store.commit_round(record);
  };
  fill(1);
  SQLite::Database((path_ / "run.sqlite").string(), SQLite::OPEN_READWRITE).exec("DROP TABLE arrivals");
  {
    const auto reader = RunFolder::open_read_only(path_);
    ASSERT_TRUE(reader) << reader.error().text();
    EXPECT_EQ(*(*reader)->arrivals(RoundId(1)), std::vector<Arrival>{});
  }
  const std::vector<Arrival> arrivals{{"riga", RoundId(1), 0, 0, 65'536},
                                      {"lubeck", RoundId(0), 3, 1, 46'341},
                                      {"riga", RoundId(1), 1, 0, 65'536}};
  const auto store = open();
  ASSERT_TRUE(commit_with_arrivals(*store, 2, arrivals));
  EXPECT_FALSE(commit_with_arrivals(*store, 3, {arrivals[1]})) << "it is in round 2";
  EXPECT_EQ((*store->position())->round, RoundId(2));
  ASSERT_TRUE(commit_with_arrivals(*store, 3, {{"lubeck", RoundId(2), 3, 0, 65'536}}));
  const auto reader = RunFolder::open_read_only(path_);
  EXPECT_EQ(*(*reader)->arrivals(RoundId(2)), arrivals);
  EXPECT_EQ((*reader)->arrivals(RoundId(3))->size(), 1U);
}

// The table of these norms is no part of a schema: an older Hansa of the same schema neither needs nor writes it.
TEST_F(RunSchemas, ARunWithoutTheNormsOfLayersIsReadAndContinued) {
  const auto commit_with_norms = [](RunFolder& store, std::uint32_t round) {
    RoundRecord record = record_of(round, *store.put_model(model_of(round)), (*store.position())->model);
    record.layer_norms = {0.25, 1.0 / 3};
    return store.commit_round(record);
  };
  fill(1);
  const auto problems = [&] { return (*RunFolder::open_read_only(path_))->verify()->problems; };
  const std::vector<std::string> of_missing_files = problems();
  SQLite::Database((path_ / "run.sqlite").string(), SQLite::OPEN_READWRITE).exec("DROP TABLE layer_norms");
  {
    const auto reader = RunFolder::open_read_only(path_);
    ASSERT_TRUE(reader) << reader.error().text();
    EXPECT_EQ(*(*reader)->layer_norms(RoundId(1)), std::vector<double>{});
  }
  EXPECT_EQ(problems(), of_missing_files);
  {
    const auto store = open();
    ASSERT_TRUE(commit_with_norms(*store, 2));
    ASSERT_TRUE(commit(*store, 3));  // its norms are not known
  }
  const auto reader = RunFolder::open_read_only(path_);
  EXPECT_EQ(*(*reader)->layer_norms(RoundId(2)), (std::vector<double>{0.25, 1.0 / 3}));
  EXPECT_EQ(*(*reader)->layer_norms(RoundId(3)), std::vector<double>{});
  EXPECT_EQ(problems(), of_missing_files);
}

// The column of the causes is no part of a schema either.
TEST_F(RunSchemas, AbandonedAttemptsWithoutACauseAreReadAndContinued) {
  fill(1);
  const AbandonedAttempt first{RoundId(2), 1, "2026-01-01T00:00:00Z", AbandonCause::updates, "2 of 3"};
  const AbandonedAttempt second{RoundId(2), 2, "2026-01-01T00:01:00Z", AbandonCause::refused_sum, "no sum"};
  ASSERT_TRUE(open()->record_abandoned(first));
  SQLite::Database((path_ / "run.sqlite").string(), SQLite::OPEN_READWRITE)
      .exec("ALTER TABLE abandoned_attempts DROP COLUMN cause");
  AbandonedAttempt unknown = first;
  unknown.cause = AbandonCause::unknown;
  {
    const auto reader = RunFolder::open_read_only(path_);
    ASSERT_TRUE(reader) << reader.error().text();
    EXPECT_EQ(*(*reader)->abandoned_attempts(), std::vector{unknown});
  }
  const auto store = open();
  ASSERT_TRUE(store->record_abandoned(second));
  EXPECT_EQ(*store->abandoned_attempts(), (std::vector{unknown, second}));
}

TEST_F(RunSchemas, TheNormOfAnUpdateIsStoredAndAnEditedOneIsNoticed) {
  {
    const auto store = open();
    ASSERT_TRUE(begin(*store));
    RoundRecord record = record_of(1, *store->put_model(model_of(1)), vector_digest(model_of(0)));
    record.update_norm = 0.25;
    ASSERT_TRUE(store->commit_round(record));
    ASSERT_TRUE(commit(*store, 2));
    EXPECT_EQ(store->round(RoundId(1))->value().update_norm, 0.25);
    EXPECT_TRUE(std::isnan(store->round(RoundId(2))->value().update_norm)) << "not known";
  }
  SQLite::Database((path_ / "run.sqlite").string(), SQLite::OPEN_READWRITE)
      .exec("UPDATE rounds SET update_norm = 0.5 WHERE round = 1");
  const auto check = (*RunFolder::open_read_only(path_))->verify();
  ASSERT_TRUE(check) << check.error().text();
  EXPECT_TRUE(std::ranges::any_of(check->problems, [](const std::string& problem) {
    return problem.find("round 1") != std::string::npos;
  }));
}

TEST_F(RunSchemas, AnEditedMarkOfASimulatedRunIsNoticed) {
  {
    const auto store = open();
    RunIdentity identity = identity_of(model_of(0));
    identity.kind = RunKind::simulated;
    ASSERT_TRUE(store->begin_run(identity, model_of(0)));
    EXPECT_EQ(store->identity()->value().kind, RunKind::simulated);
  }
  SQLite::Database((path_ / "run.sqlite").string(), SQLite::OPEN_READWRITE)
      .exec("UPDATE run SET simulated = 0");
  const auto reader = RunFolder::open_read_only(path_);
  const auto identity = (*reader)->identity();
  ASSERT_FALSE(identity);
  EXPECT_NE(identity.error().text().find("does not match its digest"), std::string::npos);
}

// Schema 4 changed no table. Until schema 5, deltas were stored in a table.
TEST_F(RunSchemas, RunsOfTheThirdAndFourthSchemaAreContinued) {
  fill(1);
  std::size_t rounds = 1;
  for (const int schema : {3, 4}) {
    make_older(path_, schema);
    SQLite::Database((path_ / "run.sqlite").string(), SQLite::OPEN_READWRITE)
        .exec("INSERT OR REPLACE INTO published VALUES (1, zeroblob(32), zeroblob(16), zeroblob(1000))");
    {
      const auto reader = RunFolder::open_read_only(path_);
      ASSERT_TRUE(reader) << reader.error().text();
      EXPECT_EQ(*(*reader)->published(RoundId(1)), std::nullopt);
    }
    const auto store = open();
    EXPECT_EQ(*store->published(RoundId(1)), std::nullopt);
    ASSERT_TRUE(commit(*store, static_cast<std::uint32_t>(++rounds)));
    EXPECT_EQ(store->rounds()->size(), rounds);
  }
}

// Until schema 6 deltas were called steps, in the folder and in the table.
TEST_F(RunSchemas, DeltasOfTheFifthSchemaAreReadAndRenamed) {
  const std::vector<std::byte> delta(1'000, std::byte{7});
  const Published published{sha256("near it"), checksum("it"), sha256(std::span<const std::byte>(delta))};
  {
    const auto store = open();
    ASSERT_TRUE(begin(*store));
    ASSERT_EQ(*store->put_delta(delta), published.delta);
    RoundRecord record = record_of(1, *store->put_model(model_of(1)), vector_digest(model_of(0)));
    record.published = published;
    ASSERT_TRUE(store->commit_round(record));
  }
  make_older(path_, 5);
  const auto older = path_ / "steps" / (published.delta.hex() + ".step");
  std::filesystem::create_directories(path_ / "steps");
  std::filesystem::rename(path_ / "deltas" / (published.delta.hex() + ".delta"), older);
  std::filesystem::remove(path_ / "deltas");
  std::ofstream(path_ / "steps" / "abc.step.tmp12") << "a part";
  {
    const auto reader = RunFolder::open_read_only(path_);
    ASSERT_TRUE(reader) << reader.error().text();
    EXPECT_EQ(*(*reader)->published(RoundId(1)), published);
    EXPECT_EQ(*(*reader)->get_delta(published.delta), delta);
    EXPECT_TRUE(std::filesystem::exists(older)) << "a reader changes nothing";
  }
  const auto store = open();
  EXPECT_FALSE(std::filesystem::exists(path_ / "steps"));
  EXPECT_EQ(*store->published(RoundId(1)), published);
  EXPECT_EQ(*store->get_delta(published.delta), delta);
}

// Until schema 4 large models were also named by a single SHA-256.
TEST_F(RunSchemas, ALargeModelOfAnOlderRunIsFoundByItsOldName) {
  const auto store = open();
  const auto model = model_of(1, 300'000);
  const Digest old_name = sha256(std::as_bytes(std::span(model)));
  std::filesystem::rename(store->model_path(store->put_model(model).value()), store->model_path(old_name));
  std::vector<float> back(model.size());
  ASSERT_TRUE(store->get_model(old_name, back));
  EXPECT_EQ(back, model);
  std::fstream(store->model_path(old_name), std::ios::in | std::ios::out | std::ios::binary).put('\x7F');
  EXPECT_FALSE(store->get_model(old_name, back));
}

}  // namespace
}  // namespace hansa::server
