// Whole files that are moved into a folder.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/data/following.h"

namespace hansa::learning {
namespace {

class Inbox : public testing::Following {
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
  // Notes are those of the last call. A file is never split.
  Labels take() {
    notes_.clear();
    return Following::take(1);
  }
};

TEST_F(Inbox, AFileOfSeriesGivesItsExamplesOnce) {
  data_.group = "id";
  data_.length = 3;
  move_in("a.csv", "id,x,y\np,1,4\nq,2,5\np,3,4\n");
  restart();
  const auto arrival = feed_->next(1);
  ASSERT_TRUE(arrival && *arrival);
  EXPECT_EQ((*arrival)->records, 2U);
  EXPECT_EQ(testing::values_of<float>((*arrival)->examples, 0), (std::vector<float>{1, 3, 0, 2, 0, 0}));
  EXPECT_EQ(testing::values_of<std::int64_t>((*arrival)->examples, 1), (Labels{2, 1}));
  store(**arrival);
  EXPECT_EQ(take(), Labels());
}

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
  positions_[(*arrival)->source] = (*arrival)->position;
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
