// Flipped bits and edited rows in what a run stores: each is noticed, or changes nothing.
#include "tests/server_parts/adversary_store.h"

#include <random>

#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/wait.h>

namespace hansa::server {
namespace {

TEST_F(AdversaryStore, AnUndamagedRunVerifiesAndIsResumed) {
  const auto path = make(newer, 3);
  const auto run = RunFolder::open_read_only(path);
  const auto check = (*run)->verify();
  ASSERT_TRUE(check) << check.error().text();
  EXPECT_TRUE(check->problems.empty()) << check->problems.front();
  EXPECT_EQ(check->last, RoundId(3));
  EXPECT_EQ(check->vectors, 7U);
  EXPECT_EQ(check->deltas, 3U);
  const auto resumed = prepare();
  ASSERT_TRUE(resumed) << resumed.error().text();
  EXPECT_TRUE(resumed->resumed);
}

// 200 flips over all bits of the database: each is reported by `hansa verify`, or changes nothing that a reader sees.
TEST_F(AdversaryStore, AFlippedBitInTheDatabaseIsNoticed) {
  const auto path = make(newer, 12);
  const auto truth = history_of(path);
  ASSERT_TRUE(truth) << truth.error().text();
  std::mt19937_64 random(20'260'101);
  const auto copy = folder_ / "copy";
  std::size_t noticed = 0;
  for (int trial = 0; trial < 200; ++trial) {
    std::filesystem::remove_all(copy);
    std::filesystem::copy(path, copy, std::filesystem::copy_options::recursive);
    const auto file = copy / "run.sqlite";
    const std::uint64_t bit = random() % (8 * std::filesystem::file_size(file));
    flip(file, bit);
    if (!verified(copy)) {
      ++noticed;
      continue;
    }
    const auto found = history_of(copy);
    ASSERT_TRUE(found) << "bit " << bit << ": verified, but not readable: " << found.error().text();
    EXPECT_EQ(*found, *truth) << "bit " << bit;
  }
  EXPECT_GT(noticed, 20U);  // the rest of the file is free space
}

// A start notices every flip in a short run, or continues it after the same round; it never begins another run.
TEST_F(AdversaryStore, AFlippedBitInTheDatabaseNeverRestartsFromRoundZero) {
  const auto path = make(newer, 6);
  const auto truth = history_of(path);
  std::mt19937_64 random(7);
  const auto kept = folder_ / "kept";
  std::filesystem::copy(path, kept, std::filesystem::copy_options::recursive);
  for (int trial = 0; trial < 200; ++trial) {
    std::filesystem::remove_all(config_.runs);
    std::filesystem::create_directories(config_.runs);
    std::filesystem::copy(kept, path, std::filesystem::copy_options::recursive);
    const auto file = path / "run.sqlite";
    const std::uint64_t bit = random() % (8 * std::filesystem::file_size(file));
    flip(file, bit);
    auto run = prepare();
    if (!run) {
      EXPECT_EQ(run.error().code, ErrorCode::storage) << "bit " << bit << ": " << run.error().text();
      continue;
    }
    EXPECT_TRUE(run->resumed) << "bit " << bit;
    EXPECT_EQ(run->position, RoundId(6)) << "bit " << bit;
    run->store.reset();
    const auto found = history_of(path);
    ASSERT_TRUE(found) << "bit " << bit << ": " << found.error().text();
    EXPECT_EQ(*found, *truth) << "bit " << bit;
  }
}

// Any bit of any other file that the rows name.
TEST_F(AdversaryStore, AFlippedBitInAModelADeltaTheArchiveOrTheLayoutIsNoticed) {
  const auto path = make(newer, 3);
  std::mt19937_64 random(11);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<std::filesystem::path> files = files_in(path);
    std::erase_if(files, [](const auto& file) {
      return file.filename().string().starts_with("run.sqlite") || file.filename() == "lock" ||
             file.filename() == "metrics.jsonl";
    });
    const auto& file = files[random() % files.size()];
    const std::uint64_t bit = random() % (8 * std::filesystem::file_size(file));
    flip(file, bit);
    EXPECT_FALSE(verified(path)) << file << " bit " << bit;
    flip(file, bit);
  }
  EXPECT_TRUE(verified(path));
}

TEST_F(AdversaryStore, AStartNoticesADamagedArchiveLayoutModelOrState) {
  const auto path = make(newer, 3);
  const auto run = RunFolder::open_read_only(path);
  const auto last = (*run)->round(RoundId(3));
  for (const auto& file : {path / "archive.pt", path / "layout.txt", (*run)->model_path((*last)->model),
                           (*run)->model_path((*last)->state[0].vector)}) {
    flip(file, 5);
    expect_storage_error(file.filename().c_str());
    flip(file, 5);
  }
  EXPECT_TRUE(prepare());
}

// Frames of a WAL file after a damaged one are ignored by SQLite: rounds that were durable vanish.
TEST_F(AdversaryStore, ADamagedEndOfTheWalDoesNotTakeRoundsAwayInSilence) {
  const auto path = config_.runs / newer;
  const pid_t child = ::fork();
  if (child == 0) {
    make(newer, 1);
    auto run = RunFolder::open(path);
    for (std::uint32_t round = 2; round <= 4; ++round) commit_one(**run, round);
    ::_exit(0);  // as a killed process: the WAL file stays
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  const auto wal = path / "run.sqlite-wal";
  ASSERT_TRUE(std::filesystem::exists(wal));
  const auto bytes = std::filesystem::file_size(wal);
  ASSERT_GT(bytes, 20'000U);
  const auto kept = folder_ / "kept";
  std::filesystem::copy(path, kept, std::filesystem::copy_options::recursive);
  std::mt19937_64 random(3);
  std::size_t noticed = 0;
  for (int trial = 0; trial < 100; ++trial) {
    std::filesystem::remove_all(path);
    std::filesystem::copy(kept, path, std::filesystem::copy_options::recursive);
    flip(wal, random() % (8 * bytes));
    EXPECT_TRUE(!verified(path) ||
                (*RunFolder::open_read_only(path))->position()->value().round == RoundId(4));
    auto run = prepare();
    if (!run) {
      ++noticed;
      continue;
    }
    EXPECT_EQ(run->position, RoundId(4));
  }
  EXPECT_GT(noticed, 30U);
}

// Editing a row, or any number of rows, of any table, without computing the digests again.
TEST_F(AdversaryStore, AnEditedRowOfAnyTableIsNoticed) {
  const auto path = make(newer, 4);
  ASSERT_TRUE(verified(path));
  const auto kept = folder_ / "kept";
  std::filesystem::copy(path, kept, std::filesystem::copy_options::recursive);
  for (const char* edit :
       {"UPDATE run SET seed = seed + 1",
        "UPDATE run SET started_from = 'x'",
        "UPDATE rounds SET seconds = 0 WHERE round = 1",
        "UPDATE rounds SET model_kept = 0 WHERE round = 2",
        "UPDATE rounds SET started_at = '2020-01-01T00:00:00Z' WHERE round = 3",
        "UPDATE participations SET examples = examples + 1 WHERE client = 'riga' AND round = 1",
        "UPDATE participations SET outcome = 'late' WHERE client = 'riga' AND round = 4",
        "UPDATE participations SET reason = 'x' WHERE client = 'visby' AND round = 4",
        "DELETE FROM participation_metrics WHERE round = 2",
        "UPDATE secure_sums SET clip = 1 WHERE round = 2",
        "DELETE FROM secure_sum_metrics WHERE round = 4",
        "UPDATE published SET model = zeroblob(32)",
        "DELETE FROM published WHERE round = 4",
        "UPDATE round_state SET name = 'x' WHERE round = 3",
        "UPDATE evaluation_metrics SET sum = sum + 1 WHERE round = 3",
        "DELETE FROM evaluations WHERE round = 4",
        "DELETE FROM history WHERE round = 4",
        "DELETE FROM history WHERE round = 2",
        "DELETE FROM history",
        "INSERT INTO rounds SELECT 5, model, base, started_at, seconds, attempt, 1, 1 FROM rounds WHERE "
        "round = "
        "4",
        "DELETE FROM run"}) {
    SCOPED_TRACE(edit);
    std::filesystem::remove_all(path);
    std::filesystem::copy(kept, path, std::filesystem::copy_options::recursive);
    SQLite::Database((path / "run.sqlite").string(), SQLite::OPEN_READWRITE).exec(edit);
    EXPECT_FALSE(verified(path));
    expect_storage_error(edit);
  }
}

// The whole last round, and its digest, are gone: metrics.jsonl knows it.
TEST_F(AdversaryStore, ALastRoundThatIsRemovedWithItsDigestIsMissed) {
  const auto path = make(newer, 4);
  SQLite::Database((path / "run.sqlite").string(), SQLite::OPEN_READWRITE)
      .exec(
          "DELETE FROM history WHERE round = 4; DELETE FROM published WHERE round = 4;"
          "DELETE FROM evaluation_metrics WHERE round = 4; DELETE FROM evaluations WHERE round = 4;"
          "DELETE FROM participation_metrics WHERE round = 4; DELETE FROM participations WHERE round = 4;"
          "DELETE FROM secure_sum_metrics WHERE round = 4; DELETE FROM secure_sums WHERE round = 4;"
          "DELETE FROM round_state WHERE round = 4; DELETE FROM rounds WHERE round = 4");
  EXPECT_FALSE(verified(path));
  expect_storage_error("a lost round");
  std::filesystem::remove(path / "metrics.jsonl");  // the hint
  const auto run = prepare();
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_EQ(run->position, RoundId(3));
}

}  // namespace
}  // namespace hansa::server
