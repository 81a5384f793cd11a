#include "server/store/run_folder.h"

#include <cmath>
#include <fstream>
#include <iterator>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/page_memory.h"
#include "tests/server_parts/small_disk.h"
#include "tests/server_parts/store_fixtures.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<nlohmann::json> lines_of(const std::filesystem::path& path) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

// Gives the tables of the newest schema the form that they had in an older one.
void make_older(const std::filesystem::path& run, int schema) {
  SQLite::Database database((run / "run.sqlite").string(), SQLite::OPEN_READWRITE);
  database.exec(
      "DROP TABLE round_state; DROP TABLE initial_state; ALTER TABLE rounds DROP COLUMN model_kept;"
      "ALTER TABLE published DROP COLUMN vector; ALTER TABLE published RENAME COLUMN delta TO step");
  if (schema < 3) database.exec("DROP TABLE published");
  if (schema < 2) database.exec("DROP TABLE secure_sum_metrics; DROP TABLE secure_sums");
  database.exec("PRAGMA user_version = " + std::to_string(schema));
}

class RunFolderTest : public ::testing::Test {
 protected:
  std::unique_ptr<RunFolder> open() {
    auto opened = RunFolder::open(path_);
    EXPECT_TRUE(opened) << opened.error().text();
    return opened ? std::move(*opened) : nullptr;
  }
  // Creates a folder with this many committed rounds, and closes it.
  void fill(std::uint32_t rounds) {
    const auto store = open();
    ASSERT_TRUE(begin(*store));
    for (std::uint32_t round = 1; round <= rounds; ++round) ASSERT_TRUE(commit(*store, round));
  }
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "runs" / "first";
};

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

TEST_F(RunFolderTest, NotANumberInAMetricComesBackAsNotANumber) {
  const auto store = open();
  ASSERT_TRUE(begin(*store));
  const Digest model = store->put_model(model_of(1)).value();
  RoundRecord record = record_of(1, model, {});
  record.participations[0].metrics = {{"loss", std::nan(""), 600}, {"bad \xFF name", 1, 0}};
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

TEST_F(RunFolderTest, ANewerSchemaIsRefused) {
  fill(1);
  SQLite::Database((path_ / "run.sqlite").string(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 7");
  for (const auto& opened :
       {RunFolder::open(path_).map([](auto) {}), RunFolder::open_read_only(path_).map([](auto) {})}) {
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().what.find("newer Hansa (schema 7, this one knows 6)"), std::string::npos);
  }
}

// Schema 1 has no secure aggregation. Such a run can be read and continued.
TEST_F(RunFolderTest, ARunOfTheFirstSchemaIsReadAndContinued) {
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

// Schema 4 changed no table. Until schema 5, deltas were stored in a table.
TEST_F(RunFolderTest, RunsOfTheThirdAndFourthSchemaAreContinued) {
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
TEST_F(RunFolderTest, DeltasOfTheFifthSchemaAreReadAndRenamed) {
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

TEST_F(RunFolderTest, StateVectorsAreKeptWithTheirRoundAndWithTheRun) {
  const std::vector<float> before(18'000, 0.5F), after(18'000, 0.25F);
  RunIdentity identity = identity_of(model_of(0));
  {
    const auto store = open();
    identity.initial_state = {{"fedavgm.velocity", vector_digest(before)}};
    const auto unknown = store->begin_run(identity, model_of(0));
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().what.find("has no vector"), std::string::npos);
    ASSERT_TRUE(store->put_model(before));
    ASSERT_TRUE(store->begin_run(identity, model_of(0)));
    RoundRecord record = record_of(1, *store->put_model(model_of(1)), vector_digest(model_of(0)));
    record.state = {{"fedavgm.velocity", vector_digest(after)}, {"control", vector_digest(before)}};
    EXPECT_FALSE(store->commit_round(record)) << "a vector is missing";
    ASSERT_TRUE(store->put_model(after));
    ASSERT_TRUE(store->commit_round(record));
  }
  const auto store = open();
  EXPECT_EQ(store->identity()->value().initial_state, identity.initial_state);
  const auto state = store->round(RoundId(1))->value().state;
  EXPECT_EQ(state, (std::vector<StateVector>{{"fedavgm.velocity", vector_digest(after)},
                                             {"control", vector_digest(before)}}));
  std::vector<float> found(18'000);
  for (const StateVector& vector : state) EXPECT_TRUE(store->get_model(vector.vector, found));
}

TEST_F(RunFolderTest, WhatWasPublishedInPlaceOfARoundsModelIsKeptWithIt) {
  const std::vector<std::byte> delta{std::byte{1}, std::byte{0}, std::byte{7}};
  const Published published{sha256(std::string_view("near it")), checksum(std::string_view("it")),
                            sha256(std::span<const std::byte>(delta))};
  {
    const auto store = open();
    ASSERT_TRUE(begin(*store));
    ASSERT_TRUE(commit(*store, 1));
    const auto model = store->put_model(model_of(2));
    RoundRecord record = record_of(2, *model, vector_digest(model_of(1)));
    record.published = published;
    const auto without = store->commit_round(record);
    ASSERT_FALSE(without);
    EXPECT_NE(without.error().what.find("has no delta"), std::string::npos);
    for (int again = 0; again < 2; ++again) EXPECT_EQ(*store->put_delta(delta), published.delta);
    ASSERT_TRUE(store->commit_round(record));
  }
  const auto reader = RunFolder::open_read_only(path_);
  ASSERT_TRUE(reader) << reader.error().text();
  EXPECT_EQ(*(*reader)->published(RoundId(1)), std::nullopt);
  EXPECT_EQ(*(*reader)->published(RoundId(2)), published);
  EXPECT_EQ(*(*reader)->published(RoundId(3)), std::nullopt);
  EXPECT_FALSE((*(*reader)->round(RoundId(2)))->published);  // only when it is requested
  EXPECT_EQ(*(*reader)->get_delta(published.delta), delta);
  EXPECT_FALSE((*reader)->put_delta(delta));  // opened for reading only
}

TEST_F(RunFolderTest, ADeltaThatIsDamagedOrMissingIsAnError) {
  const std::vector<std::byte> delta(5'000, std::byte{7});
  const auto store = open();
  ASSERT_TRUE(begin(*store));
  const Digest digest = *store->put_delta(delta);
  std::ofstream(path_ / "deltas" / (digest.hex() + ".delta"), std::ios::app) << 'x';
  const auto damaged = store->get_delta(digest);
  ASSERT_FALSE(damaged);
  EXPECT_NE(damaged.error().text().find("damaged"), std::string::npos);
  ASSERT_TRUE(store->put_delta(delta));
  EXPECT_EQ(*store->get_delta(digest), delta);
  const auto gone = store->get_delta(sha256("another"));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::storage);
}

// What an aggregator stored before a crash, and no round names: also a sum that was opened twice.
TEST_F(RunFolderTest, ModelsAndDeltasThatNoCommittedRoundNamesAreRemovedAtTheStart) {
  Digest model, delta;
  {
    const auto store = open();
    ASSERT_TRUE(begin(*store));
    ASSERT_TRUE(commit(*store, 1));
    model = *store->put_model(model_of(2));
    delta = *store->put_delta(std::vector<std::byte>(5'000, std::byte{7}));
  }
  std::ofstream(path_ / "deltas" / (delta.hex() + ".delta.tmp123")) << "a part";
  std::ofstream(path_ / "models" / "notes.txt") << "not a model";
  const auto store = open();
  std::vector<float> found(18'000);
  EXPECT_FALSE(store->get_model(model, found));
  EXPECT_FALSE(store->get_delta(delta));
  EXPECT_TRUE(std::filesystem::is_empty(path_ / "deltas"));
  EXPECT_TRUE(std::filesystem::exists(path_ / "models" / "notes.txt"));
  for (const std::uint32_t round : {0U, 1U})
    EXPECT_TRUE(store->get_model(vector_digest(model_of(round)), found));
}

TEST_F(RunFolderTest, AFileThatIsNoDatabaseIsRefused) {
  std::filesystem::create_directories(path_);
  std::ofstream(path_ / "run.sqlite") << std::string(5000, 'x');
  const auto opened = RunFolder::open(path_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::storage);
  EXPECT_NE(opened.error().location.find("run.sqlite"), std::string::npos);
}

TEST_F(RunFolderTest, ADamagedModelFileIsDetectedAndPuttingItAgainMendsIt) {
  fill(1);
  const Digest digest = vector_digest(model_of(1));
  std::vector<float> model(18'000);
  const auto store = open();
  {
    std::fstream file(store->model_path(digest), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(35'000);
    file.put('\x7F');
  }
  const auto damaged = store->get_model(digest, model);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::storage);
  EXPECT_NE(damaged.error().what.find("damaged"), std::string::npos);
  ASSERT_TRUE(store->put_model(model_of(1)));
  EXPECT_TRUE(store->get_model(digest, model));
  EXPECT_EQ(model, model_of(1));
  std::filesystem::resize_file(store->model_path(digest), 71'996);
  EXPECT_FALSE(store->get_model(digest, model));
  std::filesystem::remove(store->model_path(digest));
  EXPECT_FALSE(store->get_model(digest, model));
  ASSERT_TRUE(store->put_model(model_of(1)));
  EXPECT_TRUE(store->get_model(digest, model));
  std::vector<float> shorter(17'999);
  EXPECT_FALSE(store->get_model(digest, shorter));
}

// Large models are written past the page cache: directly from whole pages, otherwise by blocks, with the last block
// padded and truncated again.
TEST_F(RunFolderTest, LargeModelsComeBackWhereverTheyLieAndWhateverTheirSize) {
  const auto store = open();
  for (const std::size_t elements : {262'144, 262'145, 1'048'576, 2'098'000, 5'000'001}) {
    PageVector<float> pages(elements + 1);
    const auto model = model_of(1, elements);
    for (const std::size_t shift : {0, 1}) {
      const std::span<float> values = std::span(pages).subspan(shift, elements);
      std::ranges::copy(model, values.begin());
      std::filesystem::remove(store->model_path(vector_digest(values)));
      const auto digest = store->put_model(values);
      ASSERT_TRUE(digest) << digest.error().text();
      EXPECT_EQ(*digest, vector_digest(model));
      EXPECT_EQ(std::filesystem::file_size(store->model_path(*digest)), 4 * elements);
      std::vector<float> back(elements);
      ASSERT_TRUE(store->get_model(*digest, back));
      EXPECT_EQ(back, model);
    }
  }
}

// Until schema 4 large models were also named by a single SHA-256.
TEST_F(RunFolderTest, ALargeModelOfAnOlderRunIsFoundByItsOldName) {
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

TEST_F(RunFolderTest, UnfinishedModelsOfACrashAreRemoved) {
  fill(1);
  std::ofstream(path_ / "models" / "abc.f32.tmp") << "half";
  const auto store = open();
  EXPECT_FALSE(std::filesystem::exists(path_ / "models" / "abc.f32.tmp"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path_ / "models"), {}), 2);
}

TEST_F(RunFolderTest, MetricsHaveALineACommitAndALineAnEvaluation) {
  fill(1);
  const auto store = open();
  ASSERT_TRUE(store->record_evaluation(RoundId{1}, {{"loss", 5, 10}}));
  const auto lines = lines_of(store->metrics_path());
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["round"], 1);
  EXPECT_EQ(lines[0]["model"], vector_digest(model_of(1)).text());
  EXPECT_EQ(lines[0]["picked"], 7);
  EXPECT_EQ(lines[0]["counted"], 2);
  EXPECT_EQ(lines[0]["lost"], 5);
  EXPECT_EQ(lines[0]["examples"], 800);
  EXPECT_EQ(lines[0]["train"], (nlohmann::json{{"loss", 0.5}, {"accuracy", 0.75}}));
  EXPECT_EQ(lines[1], (nlohmann::json{{"round", 1}, {"evaluation", {{"loss", 0.5}}}}));
}

TEST_F(RunFolderTest, MissingMetricsLinesAreWrittenAgainAndNoneTwice) {
  fill(3);
  {
    const auto store = open();
    ASSERT_TRUE(store->record_evaluation(RoundId{0}, {{"loss", 1, 2}}));
    ASSERT_TRUE(store->record_evaluation(RoundId{2}, {{"loss", 1, 4}}));
    ASSERT_TRUE(store->record_evaluation(RoundId{2}, {{"loss", 3, 4}}));
  }
  const auto metrics = path_ / "metrics.jsonl";
  const std::string whole = text_of(metrics);
  open();
  EXPECT_EQ(text_of(metrics), whole);
  // A crash may truncate the file at any byte.
  for (std::size_t bytes = 0; bytes <= whole.size(); bytes += bytes < 40 ? 1 : 17) {
    std::ofstream(metrics, std::ios::trunc) << whole.substr(0, bytes);
    open();
    std::map<std::uint32_t, int> commits;
    std::map<std::uint32_t, double> evaluations;
    for (const auto& line : lines_of(metrics)) {
      if (line.contains("evaluation")) evaluations[line["round"]] = line["evaluation"]["loss"];
      else ++commits[line["round"]];
    }
    ASSERT_EQ(commits, (std::map<std::uint32_t, int>{{1, 1}, {2, 1}, {3, 1}})) << bytes;
    ASSERT_EQ(evaluations, (std::map<std::uint32_t, double>{{0, 0.5}, {2, 0.75}})) << bytes;
  }
}

TEST_F(RunFolderTest, AMetricsFileThatCannotBeReadIsWrittenAnew) {
  fill(2);
  const auto metrics = path_ / "metrics.jsonl";
  const std::string whole = text_of(metrics);
  std::ofstream(metrics, std::ios::trunc) << std::string(100, '\0') << "\n" << whole;
  open();
  EXPECT_EQ(text_of(metrics), whole);
}

TEST_F(RunFolderTest, KeepsTheArchiveAndTheLayout) {
  const auto store = open();
  EXPECT_EQ(store->archive_file().error().code, ErrorCode::storage);
  const auto archive = path_ / "given.pt";
  std::ofstream(archive) << std::string(1000, '\3');
  const auto digest = store->put_archive(archive);
  ASSERT_TRUE(digest) << digest.error().text();
  EXPECT_EQ(*digest, sha256(std::string(1000, '\3')));
  ASSERT_TRUE(store->put_layout("trainable w 2\n"));
  EXPECT_EQ(text_of(store->archive_path()), std::string(1000, '\3'));
  EXPECT_EQ(text_of(store->layout_path()), "trainable w 2\n");
  EXPECT_EQ(store->layout()->element_count(), 2U);
  EXPECT_EQ(store->location(), path_.string());
  EXPECT_EQ(*store->archive_file(), store->archive_path());
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
