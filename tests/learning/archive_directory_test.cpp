// The directory of an archive is found, or refused if programs could read it in different ways.
#include "learning/archive_directory.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <sys/mman.h>

#include "common/files.h"
#include "common/hex.h"
#include "tests/learning/small_archive.h"

namespace hansa::learning {
namespace {

using testing::bytes_of;
using testing::ChecksumPlace;
using testing::DirectoryEnd;
using ::testing::HasSubstr;
using testing::SmallArchive;
using testing::two_tensors;

Descriptor file_of(const std::string& bytes) {
  Descriptor out(::memfd_create("archive", MFD_CLOEXEC));
  EXPECT_TRUE(write_whole(out, std::as_bytes(std::span(bytes)), "archive"));
  return out;
}

Result<ArchiveDirectory> read(const std::string& bytes) {
  return ArchiveDirectory::read(file_of(bytes), "model.pt");
}

std::vector<SmallArchive> forms() {
  std::vector<SmallArchive> out;
  for (const auto checksums : {ChecksumPlace::behind, ChecksumPlace::in_header})
    for (const auto end : {DirectoryEnd::with_zip64, DirectoryEnd::plain}) {
      out.push_back(two_tensors());
      out.back().checksums = checksums;
      out.back().end = end;
    }
  return out;
}

// Replaces the n-th occurrence, from the end if n is negative.
std::string replaced(std::string bytes, const std::string& from, const std::string& to, int n = 0) {
  std::size_t at = n < 0 ? bytes.rfind(from) : bytes.find(from);
  for (int i = 0; i < n && at != std::string::npos; ++i) at = bytes.find(from, at + 1);
  if (at == std::string::npos) {
    ADD_FAILURE() << "nothing to replace";
    return bytes;
  }
  return bytes.replace(at, to.size(), to);
}

void expect_refused(const std::string& bytes, const char* what) {
  const auto directory = read(bytes);
  ASSERT_FALSE(directory) << what;
  EXPECT_EQ(directory.error().code, ErrorCode::model);
  EXPECT_THAT(directory.error().text(), HasSubstr(what));
}

TEST(ArchiveDirectory, RecordsAndTheirChecksumsAreFoundInEachForm) {
  for (const SmallArchive& archive : forms()) {
    const std::string bytes = bytes_of(archive);
    const auto directory = read(bytes);
    ASSERT_TRUE(directory) << directory.error().text();
    EXPECT_EQ(directory->file_bytes(), bytes.size());
    ASSERT_EQ(directory->records().size(), archive.records.size());
    for (const auto& [name, content] : archive.records) {
      const ArchiveRecord* record = directory->find(name);
      ASSERT_NE(record, nullptr) << name;
      EXPECT_EQ(bytes.substr(record->begin, record->bytes), content);
      EXPECT_FALSE(record->is_compressed);
      ASSERT_EQ(record->checksums_at.size(), 2U);
      EXPECT_EQ(bytes.substr(record->checksums_at[0], 4), bytes.substr(record->checksums_at[1], 4));
    }
    EXPECT_EQ(directory->find("data/2"), nullptr);
  }
}

TEST(ArchiveDirectory, EveryTruncationIsRefused) {
  for (const SmallArchive& archive : forms()) {
    const std::string whole = bytes_of(archive);
    for (std::size_t size = 0; size < whole.size(); ++size) ASSERT_FALSE(read(whole.substr(0, size))) << size;
  }
}

// Whatever a byte is changed to, records lie within the file and share no byte.
TEST(ArchiveDirectory, EveryChangedByteIsRefusedOrHarmless) {
  for (const SmallArchive& archive : forms()) {
    const std::string whole = bytes_of(archive);
    for (std::size_t at = 0; at < whole.size(); ++at)
      for (const int change : {0x01, 0x80, 0xff}) {
        std::string bytes = whole;
        bytes[at] = static_cast<char>(bytes[at] ^ change);
        const auto directory = read(bytes);
        if (!directory) continue;
        std::uint64_t end = 0;
        for (const ArchiveRecord& record : directory->records()) {
          ASSERT_GE(record.begin, end) << at;
          ASSERT_LE(record.begin, bytes.size()) << at;
          ASSERT_LE(record.bytes, bytes.size() - record.begin) << at;
          end = record.begin + record.bytes;
          for (const std::uint64_t field : record.checksums_at) ASSERT_LE(field + 4, bytes.size()) << at;
        }
      }
  }
}

// The corpus of the fuzzer. HANSA_WRITE_GOLDEN writes it.
TEST(ArchiveDirectory, TheCorpusHoldsEachForm) {
  std::ostringstream corpus;
  corpus << "# small_archive.h: two_tensors() in each form, as hexadecimal bytes of the file.\n";
  const char* names[] = {"behind_zip64", "behind_plain", "in_header_zip64", "in_header_plain"};
  std::size_t i = 0;
  for (const SmallArchive& archive : forms()) {
    const std::string bytes = bytes_of(archive);
    corpus << names[i++] << " = "
           << to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}) << '\n';
  }
  if (std::getenv("HANSA_WRITE_GOLDEN") != nullptr) std::ofstream(HANSA_ARCHIVE_CORPUS) << corpus.str();
  const auto stored = read_text_file(HANSA_ARCHIVE_CORPUS, 1 << 20);
  ASSERT_TRUE(stored) << stored.error().text();
  EXPECT_EQ(*stored, corpus.str());
}

TEST(AdversaryArchiveDirectory, TwoRecordsOfOneNameAreRefused) {
  SmallArchive archive = two_tensors();
  archive.records[1].name = "data/0";
  expect_refused(bytes_of(archive), "two records of one name");
}

// The values of data/1 would be those of the code.
TEST(AdversaryArchiveDirectory, RecordsThatShareBytesAreRefused) {
  SmallArchive archive = two_tensors();
  SmallArchive inner;
  inner.records = {{"data/9", "1234"}};
  inner.end = DirectoryEnd::plain;
  const std::string one = bytes_of(inner);
  // A local header within another record's bytes, and a directory that names it.
  archive.records[0].content = one.substr(0, one.find("PK\x01\x02"));
  archive.records.push_back(inner.records[0]);
  std::string bytes = bytes_of(archive);
  const std::size_t entry = bytes.rfind("archive/data/9") - 46;
  const std::size_t first = bytes.find("archive/data/9") - 30;
  for (std::size_t i = 0; i < 4; ++i) bytes[entry + 42 + i] = static_cast<char>(first >> (8 * i));
  expect_refused(bytes, "share bytes");
}

TEST(AdversaryArchiveDirectory, HeadersThatDifferAreRefused) {
  const std::string bytes = bytes_of(two_tensors());
  expect_refused(replaced(bytes, "archive/data/1", "archive/data/7"), "two headers differ");
  // The size behind the bytes.
  std::string size = bytes;
  size[size.find("PK\x07\x08") + 8] = 13;
  expect_refused(size, "two headers differ");
}

TEST(AdversaryArchiveDirectory, ASecondDirectoryIsRefused) {
  const std::string bytes = bytes_of(two_tensors());
  std::string number = bytes;
  number[number.size() - 14] = 1;  // of the records, in the plain end
  number[number.size() - 12] = 1;
  expect_refused(number, "two directories");
  expect_refused(bytes + "PK\x05\x06", "is cut off");
  expect_refused(bytes + bytes, "is cut off");
}

TEST(AdversaryArchiveDirectory, EncryptionAndUnknownCompressionAreRefused) {
  const std::string bytes = bytes_of(two_tensors());
  const std::size_t entry = bytes.find("PK\x01\x02");
  std::string encrypted = bytes, packed = bytes;
  encrypted[entry + 8] = static_cast<char>(encrypted[entry + 8] | 1);
  expect_refused(encrypted, "encrypted");
  packed[entry + 10] = 14;
  expect_refused(packed, "compressed in an unknown way");
}

TEST(AdversaryArchiveDirectory, ACountWithoutEntriesIsRefusedBeforeMemoryIsReserved) {
  std::string bytes = bytes_of(two_tensors());
  const std::size_t end64 = bytes.rfind("PK\x06\x06");
  for (const std::size_t field : {24U, 32U})
    for (std::size_t i = 0; i < 8; ++i) bytes[end64 + field + i] = '\x7f';
  for (const std::size_t field : {14U, 12U})
    for (std::size_t i = 0; i < 2; ++i) bytes[bytes.size() - field + i] = '\xff';
  expect_refused(bytes, "has no records");
}

}  // namespace
}  // namespace hansa::learning
