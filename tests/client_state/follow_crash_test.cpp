// kill -9 of a process that follows arriving data, again and again: each record is consumed once.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>

#include <gtest/gtest.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/state/followed_data.h"
#include "client/state/state_ledger.h"
#include "tests/client_state/count.h"
#include "tests/data/data_files.h"
#include "tests/data/digit_files.h"

namespace hansa::client {
namespace {

using learning::testing::TemporaryFolder;

// In the child: stores what arrives, applies updates that were trained on it, and writes a byte after each of the two.
[[noreturn]] void follow_until_killed(const TemporaryFolder& folder, FollowedDataConfig config,
                                      int progress) {
  auto opened = StateStore::open(folder / "state");
  if (!opened) ::_exit(2);
  const std::shared_ptr<StateStore> store = std::move(*opened);
  config.follow.new_max = 7;  // few at a time: many transactions
  FollowedData data(config, store);
  StateLedger ledger(store, {config.follow.replay_max});
  for (std::uint64_t task = 1;; ++task) {
    if (!data.take_all()) ::_exit(3);
    if (::write(progress, "t", 1) != 1) ::_exit(4);
    const auto training = data.open(TaskId(task));
    if (training && !testing::count(ledger, {TaskId(task), task, training->mark, {}})) ::_exit(5);
    if (::write(progress, "c", 1) != 1) ::_exit(6);
  }
}

// Adds a row with this number, and returns the record that the client consumes.
using AddRow = std::function<std::string(std::uint64_t)>;

void expect_each_row_once(const TemporaryFolder& folder, const FollowedDataConfig& config,
                          const AddRow& add_row) {
  learning::MultisetDigest expected;
  std::uint64_t written = 0;
  for (int kill = 0; kill < 40; ++kill) {
    for (int i = 0; i < 13; ++i) {
      expected.add(add_row(written));
      ++written;
    }
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(pipe_ends[0]);
      follow_until_killed(folder, config, pipe_ends[1]);
    }
    ::close(pipe_ends[1]);
    char step = 0;
    for (int i = 0; i < kill % 6 && ::read(pipe_ends[0], &step, 1) == 1; ++i) {
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended with " << WEXITSTATUS(status);
    ::close(pipe_ends[0]);
  }
  auto opened = StateStore::open(folder / "state");
  ASSERT_TRUE(opened) << opened.error().text();
  const std::shared_ptr<StateStore> store = std::move(*opened);
  EXPECT_FALSE(store->take_notice());
  FollowedData data(config, store);
  ASSERT_TRUE(data.take_all());
  const auto consumed = store->consumed();
  ASSERT_TRUE(consumed);
  std::uint64_t records = 0, examples = 0;
  learning::MultisetDigest digest;
  for (const ConsumedSource& source : *consumed) {
    records += source.records;
    examples += source.examples;
    digest.add(source.digest.value());
  }
  EXPECT_EQ(records, written);
  EXPECT_EQ(examples, written);
  EXPECT_EQ(digest.value(), expected.value());
  const auto counts = store->counts();
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->trained + counts->fresh, written);
}

TEST(FollowCrash, KilledAtAnyMomentNoRowIsSkippedOrConsumedTwice) {
  const TemporaryFolder folder;
  FollowedDataConfig config;
  config.data.kind = "csv";
  config.data.file = folder / "rows.csv";
  config.data.label = "y";
  config.open = learning::open_data_source;
  std::ofstream rows(config.data.file, std::ios::app);
  rows << "x,y\n" << std::flush;
  expect_each_row_once(folder, config, [&](std::uint64_t i) {
    const std::string row = std::to_string(i) + "," + std::to_string(i % 3);
    // Sometimes a write ends in the middle of a row.
    rows << row.substr(0, 2) << std::flush << row.substr(std::min<std::size_t>(2, row.size())) << "\n"
         << std::flush;
    return row;
  });
}

TEST(FollowCrash, KilledAtAnyMomentNoRowOfATableIsSkippedOrConsumedTwice) {
  const TemporaryFolder folder;
  FollowedDataConfig config;
  config.data.kind = "sqlite";
  config.data.file = folder / "rows.db";
  config.data.label = "y";
  config.data.query = "SELECT id, x, y FROM t";
  config.follow.sequence = "id";
  config.open = learning::open_data_source;
  // Opened each time, because a connection must not be open during a fork.
  const auto execute = [&](const std::string& statement) {
    SQLite::Database(config.data.file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 5'000)
        .exec("PRAGMA synchronous = OFF; " + statement);
  };
  execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x, y)");
  expect_each_row_once(folder, config, [&](std::uint64_t i) {
    const std::string id = std::to_string(i + 1);
    execute("INSERT INTO t VALUES (" + id + ", " + id + ", " + std::to_string(i % 3) + ")");
    return id;
  });
}

TEST(FollowCrash, KilledAtAnyMomentNoFileIsSkippedOrConsumedTwice) {
  for (const auto consumed_files : {learning::ConsumedFiles::keep, learning::ConsumedFiles::remove}) {
    const TemporaryFolder folder;
    FollowedDataConfig config;
    config.data.kind = "audio";
    config.data.class_folders = folder / "sounds";
    config.data.classes = {"0", "1", "2"};
    config.follow.from = learning::FollowFrom::folder;
    config.follow.consumed_files = consumed_files;
    config.open = learning::testing::open_digits;
    for (const std::string& name : config.data.classes)
      std::filesystem::create_directories(config.data.class_folders / name);
    expect_each_row_once(folder, config, [&](std::uint64_t i) {
      const std::string digit = std::to_string(i % 10), name = std::to_string(i) + ".wav";
      std::ofstream(folder / name) << digit;
      // A file of an earlier day is renamed into place.
      std::filesystem::last_write_time(
          folder / name, std::filesystem::file_time_type::clock::now() - std::chrono::hours(24));
      std::filesystem::rename(folder / name, config.data.class_folders / std::to_string(i % 3) / name);
      return digit;
    });
  }
}

}  // namespace
}  // namespace hansa::client
