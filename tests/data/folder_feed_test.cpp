// Whole files that are moved into a folder.
#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "learning/data/follow/feed.h"
#include "tests/data/data_files.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using testing::TemporaryFolder;

class Inbox : public ::testing::Test {
 protected:
  Inbox() {
    data_.kind = "csv";
    data_.label = "y";
    follow_.from = FollowFrom::folder;
    follow_.folder = folder_ / "inbox";
    std::filesystem::create_directory(follow_.folder);
  }
  void move_in(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / "outside") << text;
    std::filesystem::rename(folder_ / "outside", follow_.folder / name);
  }
  void restart() {
    feed_ = std::move(*open_feed(
        data_, follow_, "test",
        [this](const std::string& source) -> Result<std::optional<std::string>> {
          if (stored_.contains(source)) return "{}";
          return std::nullopt;
        },
        open_data_source));
  }
  std::vector<std::int64_t> take() {
    if (!feed_) restart();
    std::vector<std::int64_t> out;
    for (;;) {
      const auto arrival = feed_->next(1);
      if (!arrival) {
        error_ = arrival.error().text();
        break;
      }
      if (!*arrival) break;
      const auto labels = testing::values_of<std::int64_t>((*arrival)->examples, 1);
      out.insert(out.end(), labels.begin(), labels.end());
      EXPECT_EQ((*arrival)->records, labels.size());
      stored_.insert((*arrival)->source);
      feed_->stored();
    }
    notes_.clear();
    for (const Error& note : feed_->take_notes()) notes_.push_back(note.text());
    return out;
  }
  using Labels = std::vector<std::int64_t>;

  TemporaryFolder folder_;
  DataConfig data_;
  FollowConfig follow_;
  std::unique_ptr<Feed> feed_;
  std::set<std::string> stored_;
  std::vector<std::string> notes_;
  std::string error_;
};

TEST_F(Inbox, EachFileGivesItsExamplesOnce) {
  move_in("a.csv", "x,y\n1,1\n2,2\n");
  EXPECT_EQ(take(), (Labels{1, 2}));
  move_in("b.csv", "x,y\n3,3\n");
  EXPECT_EQ(take(), (Labels{3}));
  restart();
  EXPECT_EQ(take(), Labels{});
  EXPECT_TRUE(std::filesystem::exists(follow_.folder / "a.csv"));
}

TEST_F(Inbox, AnotherFileUnderTheSameNameIsNew) {
  move_in("a.csv", "x,y\n1,1\n");
  EXPECT_EQ(take(), (Labels{1}));
  move_in("a.csv", "x,y\n2,2\n3,3\n");
  EXPECT_EQ(take(), (Labels{2, 3}));
}

TEST_F(Inbox, FilesThatAreBeingWrittenAreIgnored) {
  move_in(".a.csv", "x,y\n1,1\n");
  move_in("b.csv.part", "x,y\n2,2\n");
  move_in("c.tmp", "x,y\n3,3\n");
  EXPECT_EQ(take(), Labels{});
  std::filesystem::rename(follow_.folder / "b.csv.part", follow_.folder / "b.csv");
  EXPECT_EQ(take(), (Labels{2}));
}

TEST_F(Inbox, ABadFileIsReportedOnceAndTheOthersAreRead) {
  move_in("bad.csv", "x,y\noops,1\n");
  move_in("good.csv", "x,y\n2,2\n");
  EXPECT_EQ(take(), (Labels{2}));
  ASSERT_EQ(notes_.size(), 1U);
  EXPECT_NE(notes_[0].find("bad.csv:2: column \"x\""), std::string::npos) << notes_[0];
  EXPECT_EQ(take(), Labels{});
  EXPECT_TRUE(notes_.empty());
}

TEST_F(Inbox, ConsumedFilesAreRemovedIfConfigured) {
  follow_.consumed_files = ConsumedFiles::remove;
  move_in("a.csv", "x,y\n1,1\n");
  EXPECT_EQ(take(), (Labels{1}));
  EXPECT_FALSE(std::filesystem::exists(follow_.folder / "a.csv"));
}

TEST_F(Inbox, AFileStoredBeforeACrashIsRemovedAfterIt) {
  follow_.consumed_files = ConsumedFiles::remove;
  move_in("a.csv", "x,y\n1,1\n");
  restart();
  const auto arrival = feed_->next(1);
  ASSERT_TRUE(arrival && *arrival);
  stored_.insert((*arrival)->source);
  restart();
  EXPECT_EQ(take(), Labels{});
  EXPECT_FALSE(std::filesystem::exists(follow_.folder / "a.csv"));
}

TEST_F(Inbox, AMissingFolderIsAnErrorUntilItIsCreated) {
  std::filesystem::remove(follow_.folder);
  EXPECT_EQ(take(), Labels{});
  EXPECT_NE(error_.find("cannot be listed"), std::string::npos) << error_;
  std::filesystem::create_directory(follow_.folder);
  move_in("a.csv", "x,y\n1,1\n");
  EXPECT_EQ(take(), (Labels{1}));
}

}  // namespace
}  // namespace hansa::learning
