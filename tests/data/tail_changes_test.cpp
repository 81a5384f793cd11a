// What devices do to a followed file: damage, holes, other headers, renamed and further columns.
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/data/following.h"

namespace hansa::learning {
namespace {

using TailChanges = testing::FollowingRows;

// A block of NUL bytes after a power cut, a quote that is never closed, a line that is too long: what follows is read.
TEST_F(TailChanges, DamagedLinesDoNotHideTheRowsBehindThem) {
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

TEST_F(TailChanges, ADamagedLineThatIsStillBeingWrittenIsWaitedFor) {
  follow_.bad_rows = BadRows::skip;
  append("x,y\n1,1\n\"5\" m");
  EXPECT_EQ(take(), Labels{1});
  append("m,2");
  EXPECT_EQ(take(), Labels{});
  append(",3\n4,4\n");
  EXPECT_EQ(take(), Labels{4});
  EXPECT_EQ(notes_.size(), 1U);
}

TEST_F(TailChanges, WhereBadRowsAreRefusedADamagedLineIsAnErrorAndNothingIsLost) {
  using namespace std::string_literals;
  append("x,y\n1,1\n\0\0\0\n2,2\n"s);
  EXPECT_EQ(take(), Labels{1});
  EXPECT_NE(error_.find("rows.csv:3: holds a NUL byte"), std::string::npos) << error_;
}

// A logger that does not open its file with O_APPEND continues at its old position after copytruncate.
TEST_F(TailChanges, AHoleAtTheStartAfterATruncationIsPassedAndTheRowsHaveTheOldHeader) {
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

TEST_F(TailChanges, AFileThatBeginsWithoutAHeaderAfterATruncationOrARotationHasTheOldOne) {
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
TEST_F(TailChanges, ZerosAtTheEndAreNoHole) {
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
TEST_F(TailChanges, AFirstLineThatIsNoRowIsAHeaderAndIsCheckedAsOne) {
  follow_.bad_rows = BadRows::skip;
  append("a,b,y\n1,10,0\n");
  EXPECT_EQ(take(), Labels{0});
  std::filesystem::rename(data_.file, folder_ / "rows.csv.1");
  append("b,a,Y\n20,2,1\n");
  EXPECT_EQ(take(), Labels{});
  EXPECT_NE(error_.find("has no column \"y\""), std::string::npos) << error_;
}

TEST_F(TailChanges, ARowWhoseValueIsTheLabelsNameIsARow) {
  data_.classes = {"ok", "y"};
  append("a,y\n1,ok\n");
  EXPECT_EQ(take(), Labels{0});
  std::filesystem::resize_file(data_.file, 0);
  append("2,y\n3,ok\n");
  EXPECT_EQ(take(), (Labels{1, 0}));
}

TEST_F(TailChanges, ADamagedFirstLineAfterATruncationIsSkippedAsARow) {
  follow_.bad_rows = BadRows::skip;
  append("x,y\n1,1\n");
  EXPECT_EQ(take(), Labels{1});
  std::filesystem::resize_file(data_.file, 0);
  append("\"5\" mm,2\n3,3\n");
  EXPECT_EQ(take(), Labels{3});
}

TEST_F(TailChanges, NamesThatAreNotUtf8SurviveARestartAndARotation) {
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

TEST_F(TailChanges, APositionOfAnEarlierVersionFixesTheColumns) {
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

TEST_F(TailChanges, ManyRepeatedHeadersAreOneNote) {
  std::string text = "x,y\n1,1\n";
  for (int i = 0; i < 100'000; ++i) text += "x,y\n";
  append(text + "2,2\n");
  EXPECT_EQ(take(), (Labels{1, 2}));
  EXPECT_LE(notes_.size(), 101U) << "one for each call, which reads at most 1,000 records";
}

TEST_F(TailChanges, WindowsDoNotSpanDamage) {
  follow_.bad_rows = BadRows::skip;
  data_.kind = "windows";
  data_.group = "g";
  data_.window = 2;
  append("x,g,y\n1,a,1\n\"2\" mm,a,2\n3,a,3\n4,a,4\n");
  EXPECT_EQ(take(), Labels{4});
  append("5,a,5,6\n6,a,6\n7,a,7\n");
  EXPECT_EQ(take(), Labels{7});
}

TEST_F(TailChanges, ARepeatedHeaderIsNoRow) {
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

TEST_F(TailChanges, TheColumnsOfALaterFileAreFoundByTheirNames) {
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

}  // namespace
}  // namespace hansa::learning
