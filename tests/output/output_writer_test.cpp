// The event file of a run that is being written: complete and without a value twice, whatever happened to the file.
#include "server/output/output_writer.h"

#include <chrono>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/output/event_file.h"
#include "server/output/run_view.h"
#include "tests/server_parts/run_folder_fixture.h"

namespace hansa::server {
namespace {

using ::testing::HasSubstr;

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class OutputWriters : public RunFolderTest {
 protected:
  // Where the run's file is in a folder.
  [[nodiscard]] std::filesystem::path file_in(const std::filesystem::path& tensorboard) const {
    const auto view = read_run_view(path_);
    EXPECT_TRUE(view) << view.error().text();
    return event_file_of(tensorboard, view->identity.run, start_time(view->rounds.front()));
  }
  // What `hansa export-metrics` writes of the run as it is.
  [[nodiscard]] std::string expected() const {
    const auto view = read_run_view(path_);
    EXPECT_TRUE(view) << view.error().text();
    const std::filesystem::path path = file_in(folder_ / "expected");
    std::filesystem::remove(path);
    auto file = EventFile::open(path, start_time(view->rounds.front()));
    EXPECT_TRUE(file && append_missing(*file, rows_of(*view)));
    return bytes_of(path);
  }
  const std::filesystem::path tensorboard_ = folder_ / "tensorboard";
};

TEST_F(OutputWriters, ARunWithoutARoundHasNoFile) {
  const auto store = open();
  ASSERT_TRUE(begin(*store));
  OutputWriter writer(path_, tensorboard_);
  writer.finish();
  EXPECT_FALSE(writer.take_problem());
  EXPECT_FALSE(std::filesystem::exists(tensorboard_));
}

TEST_F(OutputWriters, RoundsAndEvaluationsAreAppendedAsTheyCome) {
  const auto store = open();
  ASSERT_TRUE(begin(*store));
  {
    OutputWriter writer(path_, tensorboard_);
    for (std::uint32_t round = 1; round <= 5; ++round) {
      ASSERT_TRUE(commit(*store, round));
      writer.committed(RoundId{round});
      ASSERT_TRUE(store->record_evaluation(RoundId{round}, {{"loss", 1.0 / round, 1}}));
      writer.evaluated(RoundId{round});
    }
    writer.finish();
    EXPECT_FALSE(writer.take_problem());
  }
  // The order of what came at once may differ, and it is in the file once: an export has nothing to add.
  const std::string before = bytes_of(file_in(tensorboard_));
  EXPECT_EQ(before.size(), expected().size());
  const auto view = read_run_view(path_);
  auto file = EventFile::open(file_in(tensorboard_), 0);
  ASSERT_TRUE(file && append_missing(*file, rows_of(*view)));
  EXPECT_EQ(bytes_of(file_in(tensorboard_)), before);
}

TEST_F(OutputWriters, ANewWriterAddsWhatAnEarlierOneDidNotWrite) {
  const auto store = open();
  ASSERT_TRUE(begin(*store));
  ASSERT_TRUE(commit(*store, 1));
  ASSERT_TRUE(commit(*store, 2));
  { const OutputWriter writer(path_, tensorboard_); }
  const std::string early = bytes_of(file_in(tensorboard_));
  EXPECT_EQ(early, expected());
  // Rounds and evaluations that no writer heard of, and a record that a crash cut off.
  ASSERT_TRUE(commit(*store, 3));
  ASSERT_TRUE(store->record_evaluation(RoundId{3}, {{"loss", 3, 1}}));
  std::filesystem::resize_file(file_in(tensorboard_), early.size() - 5);
  { const OutputWriter writer(path_, tensorboard_); }
  EXPECT_EQ(bytes_of(file_in(tensorboard_)), expected());
}

TEST_F(OutputWriters, AFolderThatCannotBeMadeIsOneProblemAndIsTriedAgain) {
  const auto store = open();
  ASSERT_TRUE(begin(*store));
  ASSERT_TRUE(commit(*store, 1));
  std::ofstream(tensorboard_) << "a file where the folder should be";
  OutputWriter writer(path_, tensorboard_);
  std::optional<std::string> problem;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!problem && std::chrono::steady_clock::now() < deadline) {
    problem = writer.take_problem();
    std::this_thread::yield();
  }
  ASSERT_TRUE(problem);
  EXPECT_THAT(*problem, HasSubstr("tensorboard"));
  ASSERT_TRUE(commit(*store, 2));
  writer.evaluated(RoundId{1});  // fails again, and is not reported again
  std::filesystem::remove(tensorboard_);
  writer.committed(RoundId{2});
  writer.finish();
  EXPECT_FALSE(writer.take_problem());
  EXPECT_EQ(bytes_of(file_in(tensorboard_)), expected());
}

}  // namespace
}  // namespace hansa::server
