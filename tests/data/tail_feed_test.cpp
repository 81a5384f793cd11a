// A CSV file that grows, is rotated, truncated and rewritten, with restarts of the reader in between.
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/data/following.h"

namespace hansa::learning {
namespace {

using Tail = testing::FollowingRows;

TEST_F(Tail, StoredRowsAreNotReturnedAgainAndReadingContinues) {
  append("x,y\n1,10\n2,20\n");
  EXPECT_EQ(take(), (Labels{10, 20}));
  EXPECT_EQ(take(), Labels{});
  append("3,30\n");
  EXPECT_EQ(take(), (Labels{30}));
  append("4,40\n");
  restart();
  EXPECT_EQ(take(), (Labels{40}));
  EXPECT_EQ(inputs_, (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(records_, 4U);
  MultisetDigest expected;
  for (const char* row : {"4,40", "1,10", "3,30", "2,20"}) expected.add(row);
  EXPECT_EQ(digest_.value(), expected.value());
  EXPECT_TRUE(notes_.empty());
}

TEST_F(Tail, RowsThatWereReturnedButNotStoredAreReturnedAgain) {
  append("x,y\n1,10\n2,20\n");
  restart();
  const auto lost = feed_->next(10);
  ASSERT_TRUE(lost && *lost);
  restart();
  EXPECT_EQ(take(), (Labels{10, 20}));
}

TEST_F(Tail, AFileMayBeCreatedLater) {
  EXPECT_EQ(take(), Labels{});
  append("x,y\n1,1\n");
  EXPECT_EQ(take(), (Labels{1}));
}

TEST_F(Tail, AnUnfinishedLastLineWaitsForItsNewline) {
  append("x,");
  EXPECT_EQ(take(), Labels{});
  append("y\n1,1");
  EXPECT_EQ(take(), Labels{});
  append("0\n\"2\"");
  EXPECT_EQ(take(), (Labels{10}));
  append(",2\n");
  EXPECT_EQ(take(), (Labels{2}));
}

TEST_F(Tail, ForWritesThatEndAtAnyByteEachRowIsReturnedOnce) {
  const std::string text = "x,y\r\n1,1\r\n\"2\",2\r\n\r\n3,\"3\"\r\n4,4\r\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    SCOPED_TRACE(cut);
    std::filesystem::remove(data_.file);
    positions_.clear();
    restart();
    append(text.substr(0, cut));
    Labels labels = take();
    append(text.substr(cut));
    restart();
    const Labels rest = take();
    labels.insert(labels.end(), rest.begin(), rest.end());
    EXPECT_EQ(labels, (Labels{1, 2, 3, 4}));
  }
  EXPECT_TRUE(notes_.empty());
}

TEST_F(Tail, AnArrivalHasAtMostRecordsMaxRecords) {
  append("x,y\n1,1\n2,2\n3,3\n");
  restart();
  const auto two = feed_->next(2);
  ASSERT_TRUE(two && *two);
  EXPECT_EQ((*two)->examples.values<std::int64_t>(1), (Labels{1, 2}));
}

TEST_F(Tail, ARotatedFileIsReadToItsEndBeforeTheNewOne) {
  append("x,y\n1,1\n");
  EXPECT_EQ(take(), (Labels{1}));
  append("2,2\n");
  std::filesystem::rename(folder_ / "rows.csv", folder_ / "rows.csv.1");
  append("3,3\n", "rows.csv.1");
  EXPECT_EQ(take(), (Labels{2, 3}));
  append("x,y\n4,4\n");
  append("5,5", "rows.csv.1");  // the old writer ended without a newline
  EXPECT_EQ(take(), (Labels{5, 4}));
  EXPECT_TRUE(notes_.empty());
}

TEST_F(Tail, RotationWhileTheClientIsStoppedLosesNothingThatIsInTheFolder) {
  append("x,y\n1,1\n");
  EXPECT_EQ(take(), (Labels{1}));
  append("2,2\n");
  std::filesystem::rename(folder_ / "rows.csv", folder_ / "rows.csv.1");
  append("x,y\n3,3\n");
  restart();
  EXPECT_EQ(take(), (Labels{2, 3}));
  EXPECT_TRUE(notes_.empty());
}

TEST_F(Tail, ARotatedFileThatIsGoneIsReportedWithTheLine) {
  append("x,y\n1,1\n");
  EXPECT_EQ(take(), (Labels{1}));
  feed_.reset();
  append("2,2\n");
  // The old file is kept elsewhere, so that the new file cannot get its inode.
  const TemporaryFolder elsewhere;
  std::filesystem::rename(folder_ / "rows.csv", elsewhere / "gone");
  append("x,y\n3,3\n");
  EXPECT_EQ(take(), (Labels{3}));
  ASSERT_EQ(notes_.size(), 1U);
  EXPECT_NE(notes_[0].find("its lines after line 3 were not read"), std::string::npos) << notes_[0];
}

TEST_F(Tail, ATruncatedFileIsReadFromItsStart) {
  append("x,y\n1,1\n2,2\n");
  EXPECT_EQ(take(), (Labels{1, 2}));
  std::ofstream(data_.file, std::ios::trunc) << "x,y\n3,3\n";
  EXPECT_EQ(take(), (Labels{3}));
  ASSERT_EQ(notes_.size(), 1U);
  EXPECT_NE(notes_[0].find("truncated or rewritten"), std::string::npos);
}

TEST_F(Tail, ALongerRewrittenFileIsDetectedByItsContent) {
  append("x,y\n1,1\n2,2\n");
  EXPECT_EQ(take(), (Labels{1, 2}));
  std::ofstream(data_.file, std::ios::trunc) << "x,y\n3,3\n4,4\n5,5\n";
  restart();
  EXPECT_EQ(take(), (Labels{3, 4, 5}));
  EXPECT_EQ(notes_.size(), 1U);
}

TEST_F(Tail, ABadRowStopsTheFileUntilItIsFixedAndEarlierRowsCount) {
  append("x,y\n1,1\nbad,2\n3,3\n");
  EXPECT_EQ(take(), (Labels{1}));
  EXPECT_NE(error_.find("rows.csv:3: column \"x\": is \"bad\""), std::string::npos) << error_;
  std::ofstream(data_.file, std::ios::trunc) << "x,y\n1,1\n2,2\n3,3\n";
  EXPECT_EQ(take(), (Labels{2, 3}));
}

TEST_F(Tail, SkippedBadRowsAreReportedAndCounted) {
  follow_.bad_rows = BadRows::skip;
  append("x,y\n1,1\nbad,2\n3\n4,4\n");
  EXPECT_EQ(take(), (Labels{1, 4}));
  EXPECT_EQ(notes_.size(), 2U);
  EXPECT_EQ(records_, 4U);
}

TEST_F(Tail, AMissingColumnIsAnErrorThatNamesIt) {
  data_.columns = {"z"};
  append("x,y\n1,1\n");
  EXPECT_EQ(take(), Labels{});
  EXPECT_NE(error_.find("rows.csv:1: has no column \"z\""), std::string::npos) << error_;
}

// Windows over a file that arrives in pieces equal those of the whole file, wherever it is cut and after any restart.
TEST_F(Tail, WindowsSpanPiecesAndRestarts) {
  data_.kind = "windows";
  data_.group = "g";
  for (const auto& [window, stride, horizon] :
       {std::tuple{3U, 1U, 0U}, std::tuple{3U, 2U, 1U}, std::tuple{2U, 5U, 0U}, std::tuple{1U, 1U, 2U}}) {
    data_.window = window;
    data_.stride = stride;
    data_.horizon = horizon;
    std::vector<std::string> lines{"x,y,g\n"};
    for (int i = 0; i < 24; ++i)
      lines.push_back(std::to_string(i) + "," + std::to_string(i % 5) + "," + (i % 3 == 0 ? "a" : "b") +
                      "\n");
    std::string text;
    for (const auto& line : lines) text += line;
    std::ofstream(data_.file, std::ios::trunc) << text;
    const auto whole = open_data_source(data_);
    ASSERT_TRUE(whole) << whole.error().text();
    const auto count = static_cast<std::size_t>((*whole)->example_count());
    std::multimap<std::vector<float>, std::int64_t> expected;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::vector<std::uint32_t> index{i};
      expected.emplace(read_tensor<float>(**whole, 0, index).value(),
                       read_tensor<std::int64_t>(**whole, 1, index).value()[0]);
    }
    for (std::size_t cut = 0; cut < lines.size(); cut += 3) {
      SCOPED_TRACE(std::to_string(window) + "/" + std::to_string(stride) + " cut at " + std::to_string(cut));
      std::filesystem::remove(data_.file);
      positions_.clear();
      inputs_.clear();
      restart();
      std::multimap<std::vector<float>, std::int64_t> got;
      const auto collect = [&] {
        const Labels labels = take();
        for (std::size_t i = 0; i < labels.size(); ++i)
          got.emplace(std::vector<float>(inputs_.begin() + static_cast<std::ptrdiff_t>(i * window),
                                         inputs_.begin() + static_cast<std::ptrdiff_t>((i + 1) * window)),
                      labels[i]);
        inputs_.clear();
      };
      for (std::size_t i = 0; i < lines.size(); ++i) {
        append(lines[i]);
        if (i % 7 == cut % 7) {
          collect();
          if (i % 2 == 0) restart();
        }
      }
      collect();
      EXPECT_EQ(got, expected);
    }
  }
  EXPECT_TRUE(notes_.empty());
}

TEST_F(Tail, NoWindowSpansASkippedRow) {
  data_.kind = "windows";
  data_.window = 2;
  data_.missing = MissingValues::skip;
  append("x,y\n1,1\n,2\n3,3\n4,4\n");
  EXPECT_EQ(take(), (Labels{4}));
  EXPECT_EQ(inputs_, (std::vector<float>{3, 4}));
}

}  // namespace
}  // namespace hansa::learning
