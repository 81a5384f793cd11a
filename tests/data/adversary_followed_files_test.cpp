// A followed file that is rotated, replaced and rewritten where a reader does not look: no row is skipped or read twice
// in silence.
#include <chrono>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "learning/data/follow/row_examples.h"
#include "tests/data/following.h"

namespace hansa::learning {
namespace {

class AdversaryFollowedFiles : public testing::FollowingRows {
 protected:
  void write(const std::string& text) const { std::ofstream(data_.file, std::ios::trunc) << text; }
  void rotate(const std::string& to = "rows.csv.1") const {
    std::filesystem::rename(data_.file, folder_ / to);
  }
  // Rows whose labels are `first` to `last`.
  static std::string rows(int first, int last) {
    std::string out;
    for (int i = first; i <= last; ++i) out += std::to_string(i) + "," + std::to_string(i) + "\n";
    return out;
  }
  static Labels labels(int first, int last) {
    Labels out;
    for (int i = first; i <= last; ++i) out.push_back(i);
    return out;
  }
  // The client is killed; the next take() is that of a new process.
  void kill() { feed_.reset(); }
};

// 50 rows were skipped: nothing was stored of a file without rows, so that a restart knew only the new file.
TEST_F(AdversaryFollowedFiles, RowsOfAFileThatHeldOnlyItsHeaderSurviveARotation) {
  for (const std::string opened : {"", "x,", "x,y\n", "x,y\n1,", "x,y\n\n"}) {
    for (const bool killed : {false, true}) {
      SCOPED_TRACE("\"" + opened + "\"" + (killed ? ", killed" : ", suspended"));
      for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
        std::filesystem::remove(entry.path());
      positions_.clear();
      notes_.clear();
      kill();
      append(opened);
      EXPECT_EQ(take(), Labels{});
      if (killed) kill();
      const std::string all = opened == "x,y\n\n" ? "x,y\n\n" + rows(1, 50) : "x,y\n" + rows(1, 50);
      append(all.substr(opened.size()));
      rotate();
      append("x,y\n" + rows(51, 60));
      EXPECT_EQ(take(), labels(1, 60));
      EXPECT_TRUE(notes_.empty()) << notes_.front();
    }
  }
}

TEST_F(AdversaryFollowedFiles, RowsAfterABadHeaderAreFoundWhenItsFileWasRotated) {
  data_.columns = {"x"};
  append("z,y\n" + rows(1, 2));
  EXPECT_EQ(take(), Labels{});
  kill();
  rotate();
  append("x,y\n" + rows(3, 4));
  EXPECT_EQ(take(), Labels{}) << "the rows of the old file must not be skipped in silence";
}

// The digest of the records is the one that docs/data.md computes, whenever the file is rotated.
TEST_F(AdversaryFollowedFiles, TheDigestOfWhatWasConsumedIsRightAfterARotation) {
  const std::vector<std::string> all{"1,1", "2,2", "\"3\",3", "4,4", "5,5", "\"6\",\"6\"", "7,7"};
  MultisetDigest expected;
  for (const std::string& row : all) expected.add(row);
  for (std::size_t before = 0; before <= all.size(); ++before) {
    for (const char* end_of_line : {"\n", "\r\n"}) {
      for (const bool ends : {true, false}) {  // whether the last row of the old file has an end of line
        SCOPED_TRACE(std::to_string(before) + (ends ? "" : ", unfinished"));
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
          std::filesystem::remove(entry.path());
        positions_.clear();
        digest_ = {};
        records_ = 0;
        kill();
        append("x,y\n");
        EXPECT_EQ(take(), Labels{});
        std::string text;
        for (std::size_t i = 0; i < before; ++i) text += (i > 0 ? end_of_line : "") + all[i];
        append(text + (ends && before > 0 ? end_of_line : ""));
        rotate();
        text = "x,y\n";
        for (std::size_t i = before; i < all.size(); ++i) text += all[i] + end_of_line;
        append(text);
        EXPECT_EQ(take(), labels(1, 7));
        EXPECT_EQ(records_, 7U);
        EXPECT_EQ(digest_.value(), expected.value());
      }
    }
  }
}

// All rows are equal, so that the bytes before the position are those of the old file wherever it ends.
TEST_F(AdversaryFollowedFiles, AFileRewrittenWithEqualRowsIsReadFromItsStart) {
  const auto equal_rows = [](int label, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += "0," + std::to_string(label) + "\n";
    return out;
  };
  for (const bool killed : {false, true}) {
    SCOPED_TRACE(killed);
    write("x,y\n" + rows(1, 9) + equal_rows(5, 100));
    (void)take();
    notes_.clear();
    if (killed) kill();
    write("x,y\n" + rows(2, 9) + "1,1\n" + equal_rows(5, 120));
    const Labels found = take();
    EXPECT_EQ(found.size(), 129U);
    ASSERT_EQ(notes_.size(), 1U);
    EXPECT_NE(notes_[0].find("rewritten"), std::string::npos);
    write("x,y\n");
    (void)take();
  }
}

// Only the middle differs, far from the start and from the position.
TEST_F(AdversaryFollowedFiles, AChangeInTheMiddleOfALargeFileIsNoticedAtARestart) {
  const std::string text = "x,y\n" + rows(1, 40'000);
  write(text);
  EXPECT_EQ(take(), labels(1, 40'000));
  kill();
  std::string changed = text;
  changed[changed.find("\n20000,") + 1] = '3';
  write(changed + rows(40'001, 40'001));
  EXPECT_EQ(take().size(), 40'001U);
  EXPECT_EQ(notes_.size(), 1U);
}

// In place, with the same bytes and no more: not distinguishable from a touched file, and therefore reported.
TEST_F(AdversaryFollowedFiles, AFileRewrittenWithIdenticalRowsIsReported) {
  for (const bool killed : {false, true}) {
    SCOPED_TRACE(killed);
    write("x,y\n" + rows(1, 20));
    (void)take();
    notes_.clear();
    if (killed) kill();
    write("x,y\n" + rows(1, 20));
    // The clock of the file system may be coarse.
    std::filesystem::last_write_time(
        data_.file, std::filesystem::last_write_time(data_.file) + std::chrono::seconds(killed ? 2 : 1));
    EXPECT_EQ(take(), Labels{});
    ASSERT_EQ(notes_.size(), 1U);
    EXPECT_NE(notes_[0].find("was modified and has the same rows as before"), std::string::npos) << notes_[0];
    EXPECT_EQ(take(), Labels{});
    EXPECT_EQ(notes_.size(), 1U) << "once";
    append(rows(21, 22));
    EXPECT_EQ(take(), labels(21, 22));
    std::filesystem::remove(data_.file);
    positions_.clear();
    kill();
  }
}

// A file system gives the inode of a removed file to the next one.
TEST_F(AdversaryFollowedFiles, ANewFileWithTheSameRowsAndTheSameInodeIsRead) {
  write("x,y\n" + rows(1, 20));
  EXPECT_EQ(take(), labels(1, 20));
  kill();
  // As the position of a file that had this inode and was created earlier.
  auto position = nlohmann::json::parse(positions_.begin()->second);
  if (position["born"] == 0) GTEST_SKIP() << "the file system does not say when a file was created";
  position["born"] = position["born"].get<std::int64_t>() - 1'000;
  positions_.begin()->second = position.dump();
  append(rows(21, 25));
  EXPECT_EQ(take(), labels(1, 25));
  ASSERT_EQ(notes_.size(), 1U);
  EXPECT_NE(notes_[0].find("was replaced while the client was not running"), std::string::npos) << notes_[0];
}

TEST_F(AdversaryFollowedFiles, ThePositionOfAnOlderHansaIsContinued) {
  write("x,y\n" + rows(1, 3));
  EXPECT_EQ(take(), labels(1, 3));
  const auto position = nlohmann::json::parse(positions_.begin()->second);
  for (const bool rewritten : {false, true}) {
    SCOPED_TRACE(rewritten);
    kill();
    nlohmann::json older{{"device", position["device"]},
                         {"inode", position["inode"]},
                         {"offset", 16},
                         {"line", 5},
                         {"header", "x,y"},
                         {"before", "782c790a312c310a322c320a332c330a"},
                         {"carry", nlohmann::json::object()}};
    positions_.begin()->second = older.dump();
    if (rewritten) write("x,y\n" + rows(6, 8));
    append(rows(4, 5));
    EXPECT_EQ(take(), rewritten ? (Labels{6, 7, 8, 4, 5}) : labels(4, 5));
    EXPECT_EQ(notes_.size(), rewritten ? 1U : 0U);
  }
}

// Each row names a group that no other row names.
TEST(AdversaryGroups, GroupsWithoutEndTakeALimitedRoom) {
  DataConfig data;
  data.kind = "windows";
  data.window = 2;
  internal::RowExamples examples(data, 1);
  constexpr std::size_t groups = internal::RowExamples::groups_max + 50;
  for (std::size_t i = 0; i < groups; ++i) examples.add({{1}, 0, 0, "group " + std::to_string(i)});
  EXPECT_EQ(examples.carry().size(), internal::RowExamples::groups_max);
  EXPECT_EQ(examples.take().count(), 0U);
  examples.add({{1}, 0, 0, "group " + std::to_string(groups - 1)});
  EXPECT_EQ(examples.take().count(), 1U) << "the newest groups are kept";
  examples.add({{1}, 0, 0, "group 0"});
  EXPECT_EQ(examples.take().count(), 0U) << "the oldest is forgotten";
}

}  // namespace
}  // namespace hansa::learning
