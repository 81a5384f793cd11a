// A CSV file that grows, is rotated, truncated and rewritten, with restarts of the reader in between.
#include <filesystem>
#include <fstream>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "learning/data/follow/feed.h"
#include "tests/data/data_files.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using testing::TemporaryFolder;

class Tail : public ::testing::Test {
 protected:
  Tail() {
    data_.kind = "csv";
    data_.file = folder_ / "rows.csv";
    data_.label = "y";
  }

  void append(const std::string& text, const std::string& name = "rows.csv") const {
    std::ofstream(folder_ / name, std::ios::app) << text;
  }
  // Creates a new reader that continues from the stored position, as after a restart.
  void restart() {
    auto feed = open_feed(
        data_, follow_, "test",
        [this](const std::string& source) -> Result<std::optional<std::string>> {
          const auto found = positions_.find(source);
          if (found == positions_.end()) return std::nullopt;
          return found->second;
        },
        open_data_source);
    ASSERT_TRUE(feed) << feed.error().text();
    feed_ = std::move(*feed);
  }
  // Takes and stores all arrivals, and returns their labels.
  std::vector<std::int64_t> take(std::uint64_t records_max = 1000) {
    if (!feed_) restart();
    std::vector<std::int64_t> out;
    for (;;) {
      auto arrival = feed_->next(records_max);
      if (!arrival) {
        error_ = arrival.error().text();
        break;
      }
      if (!*arrival) break;
      const Arrival& a = **arrival;
      const Labels labels = testing::values_of<std::int64_t>(a.examples, 1);
      out.insert(out.end(), labels.begin(), labels.end());
      const std::vector<float> inputs = testing::values_of<float>(a.examples, 0);
      inputs_.insert(inputs_.end(), inputs.begin(), inputs.end());
      records_ += a.records;
      digest_.add(a.digest.value());
      positions_[a.source] = a.position;
      feed_->stored();
    }
    for (auto& note : feed_->take_notes()) notes_.push_back(note.text());
    return out;
  }
  using Labels = std::vector<std::int64_t>;

  TemporaryFolder folder_;
  DataConfig data_;
  FollowConfig follow_;
  std::map<std::string, std::string> positions_;
  std::unique_ptr<Feed> feed_;
  std::uint64_t records_ = 0;
  MultisetDigest digest_;
  std::vector<float> inputs_;
  std::vector<std::string> notes_;
  std::string error_;
};

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

// A block of NUL bytes after a power cut, a quote that is never closed, a line that is too long: what follows is read.
TEST_F(Tail, DamagedLinesDoNotHideTheRowsBehindThem) {
  follow_.bad_rows = BadRows::skip;
  using namespace std::string_literals;
  for (const std::string& damage :
       {std::string(5000, '\0') + "\n", "5,\0\0\0,1\n"s, "\"5\" mm,2\n"s, "\"5,2\n"s, "5,\"2\n"s,
        "1,2,3,4\n"s, std::string((1 << 20) + 77, '7') + ",1\n"}) {
    SCOPED_TRACE(::testing::PrintToString(damage.substr(0, 12)));
    std::filesystem::remove(data_.file);
    positions_.clear();
    notes_.clear();
    restart();
    append("x,y\n1,1\n2,2\n" + damage + "3,3\n4,4\n5,5\n");
    EXPECT_EQ(take(), (Labels{1, 2, 3, 4, 5}));
    ASSERT_EQ(notes_.size(), 1U);
    EXPECT_NE(notes_[0].find("skipped: "), std::string::npos) << notes_[0];
    EXPECT_NE(notes_[0].find("rows.csv:4"), std::string::npos) << notes_[0];
    append("6,6\n");
    EXPECT_EQ(take(), Labels{6});
    EXPECT_EQ(notes_.size(), 1U) << "the damage is reported once";
  }
}

TEST_F(Tail, ADamagedLineThatIsStillBeingWrittenIsWaitedFor) {
  follow_.bad_rows = BadRows::skip;
  append("x,y\n1,1\n\"5\" m");
  EXPECT_EQ(take(), Labels{1});
  append("m,2");
  EXPECT_EQ(take(), Labels{});
  append(",3\n4,4\n");
  EXPECT_EQ(take(), Labels{4});
  EXPECT_EQ(notes_.size(), 1U);
}

TEST_F(Tail, WhereBadRowsAreRefusedADamagedLineIsAnErrorAndNothingIsLost) {
  using namespace std::string_literals;
  append("x,y\n1,1\n\0\0\0\n2,2\n"s);
  EXPECT_EQ(take(), Labels{1});
  EXPECT_NE(error_.find("rows.csv:3: holds a NUL byte"), std::string::npos) << error_;
}

// A logger that does not open its file with O_APPEND continues at its old position after copytruncate.
TEST_F(Tail, AHoleAtTheStartAfterATruncationIsPassedAndTheRowsHaveTheOldHeader) {
  follow_.bad_rows = BadRows::skip;
  append("x,y\n1,1\n2,2\n3,3\n");
  EXPECT_EQ(take(), (Labels{1, 2, 3}));
  std::filesystem::resize_file(data_.file, 0);
  EXPECT_EQ(take(), Labels{});
  std::filesystem::resize_file(data_.file, 16);
  EXPECT_EQ(take(), Labels{});
  append("4,4\n");
  restart();
  EXPECT_EQ(take(), Labels{4});
  append("5,5\n");
  EXPECT_EQ(take(), Labels{5});
  std::string all;
  for (const std::string& note : notes_) all += note + "\n";
  EXPECT_NE(all.find("NUL bytes between its lines"), std::string::npos) << all;
  EXPECT_EQ(all.find("NUL bytes between its lines"), all.rfind("NUL bytes between its lines")) << all;
  EXPECT_NE(all.find("begins without a header"), std::string::npos) << all;
}

TEST_F(Tail, AFileThatBeginsWithoutAHeaderAfterATruncationOrARotationHasTheOldOne) {
  for (const bool rotated : {false, true}) {
    for (const bool restarted : {false, true}) {
      SCOPED_TRACE(std::string(rotated ? "rotated" : "truncated") + (restarted ? ", restarted" : ""));
      std::filesystem::remove(data_.file);
      std::filesystem::remove(folder_ / "rows.csv.1");
      positions_.clear();
      notes_.clear();
      inputs_.clear();
      restart();
      append("x,y\n1,1\n2,2\n");
      EXPECT_EQ(take(), (Labels{1, 2}));
      if (rotated) std::filesystem::rename(data_.file, folder_ / "rows.csv.1");
      else std::filesystem::resize_file(data_.file, 0);
      if (restarted) restart();
      append("7,3\n8,4\n");
      EXPECT_EQ(take(), (Labels{3, 4}));
      EXPECT_EQ(inputs_, (std::vector<float>{1, 2, 7, 8}));
      std::string all;
      for (const std::string& note : notes_) all += note + "\n";
      EXPECT_NE(all.find("begins without a header"), std::string::npos) << all;
    }
  }
}

// A program that reserves room for its rows writes them over zeros.
TEST_F(Tail, ZerosAtTheEndAreNoHole) {
  follow_.bad_rows = BadRows::skip;
  append("x,y\n1,1\n");
  std::filesystem::resize_file(data_.file, 4096);
  EXPECT_EQ(take(), Labels{1});
  std::fstream file(data_.file, std::ios::in | std::ios::out);
  std::streamoff at = 8;
  for (int i = 2; i <= 4; ++i) {
    file.seekp(at);
    const std::string row = std::to_string(i) + "," + std::to_string(i) + "\n";
    file << row << std::flush;
    at += static_cast<std::streamoff>(row.size());
    EXPECT_EQ(take(), Labels{i}) << "each row once";
    restart();
  }
  EXPECT_TRUE(notes_.empty()) << notes_[0];
}

// The label is called otherwise after a rotation: its rows must not be read under the old names.
TEST_F(Tail, AFirstLineThatIsNoRowIsAHeaderAndIsCheckedAsOne) {
  follow_.bad_rows = BadRows::skip;
  append("a,b,y\n1,10,0\n");
  EXPECT_EQ(take(), Labels{0});
  std::filesystem::rename(data_.file, folder_ / "rows.csv.1");
  append("b,a,Y\n20,2,1\n");
  EXPECT_EQ(take(), Labels{});
  EXPECT_NE(error_.find("has no column \"y\""), std::string::npos) << error_;
}

TEST_F(Tail, ARowWhoseValueIsTheLabelsNameIsARow) {
  data_.classes = {"ok", "y"};
  append("a,y\n1,ok\n");
  EXPECT_EQ(take(), Labels{0});
  std::filesystem::resize_file(data_.file, 0);
  append("2,y\n3,ok\n");
  EXPECT_EQ(take(), (Labels{1, 0}));
}

TEST_F(Tail, ADamagedFirstLineAfterATruncationIsSkippedAsARow) {
  follow_.bad_rows = BadRows::skip;
  append("x,y\n1,1\n");
  EXPECT_EQ(take(), Labels{1});
  std::filesystem::resize_file(data_.file, 0);
  append("\"5\" mm,2\n3,3\n");
  EXPECT_EQ(take(), Labels{3});
}

TEST_F(Tail, NamesThatAreNotUtf8SurviveARestartAndARotation) {
  append("t\xE9,t\xE8,y\n1,10,0\n");
  EXPECT_EQ(take(), Labels{0});
  restart();
  append("2,20,1\n");
  EXPECT_EQ(take(), Labels{1});
  std::filesystem::rename(data_.file, folder_ / "rows.csv.1");
  append("t\xE8,t\xE9,y\n30,3,0\n");
  restart();
  EXPECT_EQ(take(), Labels{0});
  EXPECT_EQ(inputs_, (std::vector<float>{1, 10, 2, 20, 3, 30}));
  EXPECT_TRUE(notes_.empty()) << notes_[0];
}

TEST_F(Tail, APositionOfAnEarlierVersionFixesTheColumns) {
  append("x,z,y\n1,10,0\n");
  EXPECT_EQ(take(), Labels{0});
  auto& position = positions_.begin()->second;
  nlohmann::json kept = nlohmann::json::parse(position);
  kept["header"] = "x,z,y";
  for (const char* key : {"header_hex", "header_before_hex", "columns_hex"}) kept.erase(key);
  position = kept.dump();
  restart();
  append("2,20,1\n");
  EXPECT_EQ(take(), Labels{1});
  std::filesystem::rename(data_.file, folder_ / "rows.csv.1");
  append("z,x,y\n30,3,0\n");
  EXPECT_EQ(take(), Labels{0});
  EXPECT_EQ(inputs_, (std::vector<float>{1, 10, 2, 20, 3, 30}));
}

TEST_F(Tail, ManyRepeatedHeadersAreOneNote) {
  std::string text = "x,y\n1,1\n";
  for (int i = 0; i < 100'000; ++i) text += "x,y\n";
  append(text + "2,2\n");
  EXPECT_EQ(take(), (Labels{1, 2}));
  EXPECT_LE(notes_.size(), 101U) << "one for each call, which reads at most 1,000 records";
}

TEST_F(Tail, WindowsDoNotSpanDamage) {
  follow_.bad_rows = BadRows::skip;
  data_.kind = "windows";
  data_.group = "g";
  data_.window = 2;
  append("x,g,y\n1,a,1\n\"2\" mm,a,2\n3,a,3\n4,a,4\n");
  EXPECT_EQ(take(), Labels{4});
  append("5,a,5,6\n6,a,6\n7,a,7\n");
  EXPECT_EQ(take(), Labels{7});
}

TEST_F(Tail, ARepeatedHeaderIsNoRow) {
  for (const BadRows rule : {BadRows::refuse, BadRows::skip}) {
    follow_.bad_rows = rule;
    std::filesystem::remove(data_.file);
    positions_.clear();
    notes_.clear();
    error_.clear();
    restart();
    append("x,y\n1,1\n2,2\nx,y\n3,3\n");
    EXPECT_EQ(take(), (Labels{1, 2, 3}));
    EXPECT_EQ(error_, "");
    ASSERT_EQ(notes_.size(), 1U);
    EXPECT_NE(notes_[0].find("has its header again in line 4: it is no row"), std::string::npos) << notes_[0];
    append("x,y\n");
    EXPECT_EQ(take(), Labels{});
    EXPECT_EQ(take(), Labels{});
    EXPECT_EQ(notes_.size(), 2U) << "each is reported once";
    restart();
    append("4,4\n");
    EXPECT_EQ(take(), Labels{4});
  }
}

TEST_F(Tail, TheColumnsOfALaterFileAreFoundByTheirNames) {
  append("x,z,y\n1,10,0\n2,20,1\n");
  EXPECT_EQ(take(), (Labels{0, 1}));
  std::filesystem::rename(data_.file, folder_ / "rows.csv.1");
  append("z,volt,x,y\n30,3.3,3,0\n");
  EXPECT_EQ(take(), Labels{0});
  EXPECT_EQ(inputs_, (std::vector<float>{1, 10, 2, 20, 3, 30}));
  ASSERT_EQ(notes_.size(), 1U);
  EXPECT_NE(notes_[0].find("has 1 column that the file before did not have"), std::string::npos) << notes_[0];
  restart();
  append("40,3.3,4,1\n");
  EXPECT_EQ(take(), Labels{1});
  EXPECT_EQ(inputs_, (std::vector<float>{1, 10, 2, 20, 3, 30, 4, 40}));
  std::filesystem::remove(folder_ / "rows.csv.1");
  std::filesystem::rename(data_.file, folder_ / "rows.csv.1");
  append("x,y\n5,0\n");
  EXPECT_EQ(take(), Labels{});
  EXPECT_NE(error_.find("has no column \"z\""), std::string::npos) << error_;
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
      expected.emplace(read_tensor<float>(**whole, 0, index),
                       read_tensor<std::int64_t>(**whole, 1, index)[0]);
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
