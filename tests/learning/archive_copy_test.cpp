// The copy of an archive that holds other values: all else is the archive's, whatever the places say.
#include "learning/archive_copy.h"

#include <cstring>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>

#include "learning/archive_directory.h"
#include "tests/learning/small_archive.h"
#include "tests/temporary_folder.h"

namespace hansa::learning {
namespace {

using testing::bytes_of;
using ::testing::HasSubstr;
using testing::SmallArchive;
using testing::two_tensors;

std::string bytes_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<float> floats_of(const std::string& bytes) {
  std::vector<float> out(bytes.size() / sizeof(float));
  std::memcpy(out.data(), bytes.data(), out.size() * sizeof(float));
  return out;
}

// Of the tensors a, of three values, and b, of one.
PlacedLayout honest() {
  auto layout = ParameterLayout::create({{"a", {3}}, {"b", {}}});
  return {*layout, {{"data/0", 0, {1}}, {"data/1", 0, {}}}};
}

class ArchiveCopyTest : public ::testing::Test {
 protected:
  ArchiveCopyTest() { store(two_tensors()); }
  void store(const SmallArchive& archive) {
    archive_ = archive;
    std::ofstream(path_, std::ios::binary) << bytes_of(archive);
  }
  Result<WrittenFile> write(const PlacedLayout& where, const std::vector<float>& values) {
    return write_archive_with_values(path_, std::vector<PlacedValues>{{&where, values}}, out_, {});
  }
  // The archive in which these records hold other values.
  [[nodiscard]] std::string with(
      const std::vector<std::pair<std::string, std::vector<float>>>& records) const {
    SmallArchive archive = archive_;
    for (const auto& [name, values] : records)
      for (auto& record : archive.records)
        if (record.name == name) std::memcpy(record.content.data(), values.data(), record.content.size());
    return bytes_of(archive);
  }

  const TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "model.pt", out_ = folder_ / "out.pt";
  SmallArchive archive_;
};

// The expected file is that of the same records with other values, so that also the checksums are those of a new archive.
TEST_F(ArchiveCopyTest, OnlyValuesAndTheirChecksumsDiffer) {
  for (const auto checksums : {testing::ChecksumPlace::behind, testing::ChecksumPlace::in_header})
    for (const auto end : {testing::DirectoryEnd::with_zip64, testing::DirectoryEnd::plain}) {
      SmallArchive archive = two_tensors();
      archive.checksums = checksums;
      archive.end = end;
      store(archive);
      const auto written = write(honest(), {10, 20, 30, 40});
      ASSERT_TRUE(written) << written.error().text();
      const std::string bytes = bytes_of_file(out_);
      EXPECT_EQ(bytes, with({{"data/0", {10, 20, 30}}, {"data/1", {40}}}));
      EXPECT_EQ(written->bytes, bytes.size());
      EXPECT_EQ(written->sha256, sha256(std::string_view(bytes)));
    }
}

// The window of the copy has 256 KiB.
TEST_F(ArchiveCopyTest, LargeRecordsAreCopiedInParts) {
  constexpr std::int64_t count = 200'003;
  SmallArchive archive = two_tensors();
  archive.records[0].content = std::string(count * sizeof(float) + 8, '\x2a');
  archive.records[2].content = std::string(700'001, 'p');
  store(archive);
  std::vector<float> values(count + 1);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const auto layout = ParameterLayout::create({{"a", {count}}, {"b", {}}});
  const std::vector<float> a(values.begin(), values.end() - 1);
  for (const std::uint64_t stride : {std::uint64_t{1}, std::uint64_t{0}}) {
    SCOPED_TRACE(stride);
    const PlacedLayout where{*layout, {{"data/0", 1, {stride}}, {"data/1", 0, {}}}};
    const auto written = write(where, values);
    ASSERT_TRUE(written) << written.error().text();
    std::vector<float> record = floats_of(archive.records[0].content);
    if (stride == 1) std::ranges::copy(a, record.begin() + 1);
    else record[1] = a.back();
    EXPECT_TRUE(bytes_of_file(out_) == with({{"data/0", record}, {"data/1", {values.back()}}}));
  }
}

TEST_F(ArchiveCopyTest, StridesAndSharedRecordsAreFollowed) {
  SmallArchive archive = two_tensors();
  archive.records[0].content = std::string(8 * sizeof(float), '\0');
  store(archive);
  // Columns 1 and 2, and column 3, of a 2 x 4 matrix; the second tensor is transposed.
  const auto layout = ParameterLayout::create({{"a", {2, 1, 2}}, {"b", {1, 2}}});
  const PlacedLayout where{*layout, {{"data/0", 1, {4, 77, 1}}, {"data/0", 3, {1, 4}}}};
  const auto written = write(where, {1, 2, 3, 4, 5, 6});
  ASSERT_TRUE(written) << written.error().text();
  EXPECT_EQ(bytes_of_file(out_), with({{"data/0", {0, 1, 2, 5, 0, 3, 4, 6}}}));
}

TEST_F(ArchiveCopyTest, NegativeVariancesBecomeZero) {
  const auto layout = ParameterLayout::create({{"bn.running_var", {3}, ParameterKind::buffer}});
  ASSERT_TRUE(write({*layout, {{"data/0", 0, {1}}}}, {1, -1e-9F, 2}));
  EXPECT_EQ(bytes_of_file(out_), with({{"data/0", {1, 0, 2}}}));
  ASSERT_TRUE(write({*layout, {{"data/0", 2, {0}}}}, {1, 2, -1}));
  EXPECT_EQ(bytes_of_file(out_), with({{"data/0", {1, 2, 0}}}));
}

TEST_F(ArchiveCopyTest, AStopLeavesTheOldFile) {
  std::ofstream(out_) << "old";
  std::stop_source stop;
  stop.request_stop();
  const PlacedLayout where = honest();
  const std::vector<float> values(4);
  const auto written =
      write_archive_with_values(path_, std::vector<PlacedValues>{{&where, values}}, out_, stop.get_token());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().reason.code, ReasonCode::stopped);
  EXPECT_EQ(bytes_of_file(out_), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 2);
}

class AdversaryArchiveCopy : public ArchiveCopyTest {
 protected:
  void expect_refused(const PlacedLayout& where, const char* what) {
    std::ofstream(out_) << "old";
    const auto written = write(where, std::vector<float>(where.layout.element_count(), 1.0F));
    ASSERT_FALSE(written) << what;
    EXPECT_EQ(written.error().code, ErrorCode::model) << written.error().text();
    EXPECT_THAT(written.error().text(), HasSubstr(what));
    EXPECT_EQ(bytes_of_file(out_), "old");
  }
  void expect_refused(const ValuePlace& place_of_a, const char* what) {
    PlacedLayout where = honest();
    where.places[0] = place_of_a;
    expect_refused(where, what);
  }
};

TEST_F(AdversaryArchiveCopy, CodeIsNotAPlace) {
  for (const char* record : {"code/__torch__/m.py", "data.pkl", "constants.pkl", "version"})
    expect_refused({record, 0, {1}}, "not in a record of the archive that holds a tensor");
}

TEST_F(AdversaryArchiveCopy, ConstantsAreNotAPlace) {
  expect_refused({"constants/0", 0, {1}}, "not in a record of the archive that holds a tensor");
}

TEST_F(AdversaryArchiveCopy, UnknownRecordsAndNamesThatAreNoNumberAreNotPlaces) {
  SmallArchive archive = two_tensors();
  archive.records.push_back({"data/../code/m.py", std::string(12, 'c')});
  archive.records.push_back({"data/", std::string(12, 'c')});
  store(archive);
  for (const char* record : {"data/2", "data/../code/m.py", "data/", "data", "", "archive/data/0", "DATA/0"})
    expect_refused({record, 0, {1}}, "not in a record of the archive that holds a tensor");
}

TEST_F(AdversaryArchiveCopy, PlacesBeyondTheRecordAreRefused) {
  constexpr std::uint64_t huge = ~std::uint64_t{0};
  const std::vector<ValuePlace> beyond{
      {"data/0", 1, {1}},    {"data/0", 3, {0}}, {"data/0", huge, {1}},     {"data/0", 0, {2}},
      {"data/0", 0, {huge}}, {"data/1", 0, {1}}, {"data/0", 1, {huge / 2}}, {"data/0", huge, {huge}}};
  for (const ValuePlace& place : beyond) expect_refused(place, "lies beyond its record");
  const auto matrix = ParameterLayout::create({{"a", {2, 2}}});
  expect_refused({*matrix, {{"data/0", 0, {2, 1}}}}, "lies beyond its record");
  expect_refused({*matrix, {{"data/0", 0, {huge / 2, huge / 2 + 2}}}}, "lies beyond its record");
}

TEST_F(AdversaryArchiveCopy, ValuesThatAreAllAtOnePlaceChangeNothingElse) {
  PlacedLayout where = honest();
  where.places = {{"data/1", 0, {0}}, {"data/1", 0, {}}};
  ASSERT_TRUE(write(where, {10, 20, 30, 40}));
  EXPECT_EQ(bytes_of_file(out_), with({{"data/1", {40}}}));
}

// Its bytes are not the values.
TEST_F(AdversaryArchiveCopy, ACompressedRecordIsRefused) {
  std::string bytes = bytes_of(archive_);
  bytes[bytes.find("PK\x03\x04") + 8] = 8;
  bytes[bytes.find("PK\x01\x02") + 10] = 8;
  std::ofstream(path_, std::ios::binary) << bytes;
  expect_refused(honest(), "is compressed in the archive");
}

TEST_F(AdversaryArchiveCopy, ADamagedArchiveIsRefused) {
  std::ofstream(path_, std::ios::binary) << bytes_of(archive_).substr(1);
  expect_refused(honest(), "cut off");
}

}  // namespace
}  // namespace hansa::learning
