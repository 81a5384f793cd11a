// TensorBoard event files: the exact bytes, what an independent reader reads, and what is left after damage.
#include "server/output/event_file.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/hex.h"
#include "server/output/internal/event_record.h"
#include "tests/output/run_fixture.h"
#include "tests/server_parts/small_disk.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

struct Answer {
  std::vector<std::string> lines;
  int status = -1;
};
// What tests/output/read_events.py, which shares no code with Hansa, reads.
Answer read_with_python(const std::filesystem::path& file) {
  Answer out;
  const std::string command = std::string("python3 '") + HANSA_READ_EVENTS + "' '" + file.string() + "'";
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  std::string text;
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    text.append(buffer.data(), n);
  out.status = ::pclose(pipe);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) out.lines.push_back(line);
  return out;
}

class EventFiles : public ::testing::Test {
 protected:
  // Opens the file, appends what it lacks, and closes it.
  void sync(const RunView& view) {
    auto file = EventFile::open(path_, 100);
    ASSERT_TRUE(file) << file.error().text();
    const auto appended = append_missing(*file, rows_of(view));
    ASSERT_TRUE(appended) << appended.error().text();
  }
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "harbour" / "events.out.tfevents.0000000100.hansa";
};

// RFC 3720, appendix B.4.
TEST(EventRecord, TheChecksumIsThatOfTheStandard) {
  using internal::crc32c;
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  std::string ascending, descending;
  for (int i = 0; i < 32; ++i) {
    ascending += static_cast<char>(i);
    descending += static_cast<char>(31 - i);
  }
  EXPECT_EQ(crc32c(ascending), 0x46dd794eU);
  EXPECT_EQ(crc32c(descending), 0x113fdb5cU);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
}

// Computed by hand with Python's struct from event.proto and summary.proto.
TEST(EventRecord, ARecordHasTheBytesOfTheGoldenVector) {
  const SeriesRow row{RoundId{300}, 1.5, {{"a/b", 0.25}}};
  const std::string record = internal::framed(internal::event_of(row));
  const std::vector<std::uint8_t> bytes(record.begin(), record.end());
  EXPECT_EQ(to_hex(bytes),
            "1a00000000000000129bd82d09000000000000f83f10ac022a0c0a0a0a03612f"
            "62150000803ef9cde7ed");
}

TEST(EventRecord, OnlyItsOwnMessagesHaveAKey) {
  const SeriesRow row{RoundId{300}, 1.5, {{"held_out/loss.worst", 0.25}, {"other/b", 1}}};
  const auto key = internal::key_of_event(internal::event_of(row));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->kind, "held_out");
  EXPECT_EQ(key->round, RoundId{300});
  EXPECT_FALSE(internal::key_of_event(internal::version_event(1)));
  const std::string message = internal::event_of(row);
  for (std::size_t bytes = 0; bytes < message.size(); ++bytes)
    (void)internal::key_of_event(message.substr(0, bytes));  // reads no byte after its end
  EXPECT_FALSE(internal::key_of_event("\x12\xff"));
}

TEST_F(EventFiles, AnotherReaderReadsEveryValueOnce) {
  const RunView view = learning_run(5);
  sync(view);
  const Answer answer = read_with_python(path_);
  EXPECT_EQ(answer.status, 0);
  std::size_t values = 0;
  for (const SeriesRow& row : rows_of(view)) values += row.values.size();
  EXPECT_EQ(answer.lines.size(), values);
  EXPECT_THAT(answer.lines,
              IsSupersetOf({"train/loss 2 1767322950.5 0.5", "clients/counted 5 1767323130.5 2.0",
                            "held_out/loss 1 1767322920.0 1.0", "evaluation/loss 0 1767322860.0 4.0",
                            "evaluation/loss 4 1767323070.5 0.5"}));
}

TEST_F(EventFiles, NothingIsWrittenTwice) {
  sync(learning_run(3));
  const std::string before = bytes_of(path_);
  sync(learning_run(3));
  EXPECT_EQ(bytes_of(path_), before);
  sync(learning_run(5));
  const std::string continued = bytes_of(path_);
  std::filesystem::remove(path_);
  sync(learning_run(5));
  EXPECT_EQ(bytes_of(path_), continued) << "a continued file differs from one that was written at once";
}

// A crash may leave any part of the last write.
TEST_F(EventFiles, WhereverItIsCutOffTheFileIsCompletedAgain) {
  sync(learning_run(2));
  const std::string whole = bytes_of(path_);
  for (std::size_t bytes = 0; bytes < whole.size(); bytes += 7) {
    write(path_, whole.substr(0, bytes));
    sync(learning_run(2));
    ASSERT_EQ(bytes_of(path_), whole) << "cut to " << bytes << " bytes";
  }
}

TEST_F(EventFiles, DamagedRecordsAreReplaced) {
  sync(learning_run(2));
  const std::string whole = bytes_of(path_);
  for (std::size_t at = 0; at < whole.size(); at += 13) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    write(path_, damaged);
    sync(learning_run(2));
    ASSERT_EQ(bytes_of(path_), whole) << "byte " << at << " was changed";
  }
  write(path_, std::string(1000, 'x'));
  sync(learning_run(2));
  EXPECT_EQ(bytes_of(path_), whole);
}

TEST_F(EventFiles, OneProcessWritesAtATime) {
  const auto first = EventFile::open(path_, 100);
  ASSERT_TRUE(first);
  const auto second = EventFile::open(path_, 100);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text(), HasSubstr("is being written by another process"));
}

TEST_F(EventFiles, AFullDiskLeavesCompleteRecords) {
  const SmallDisk disk("64k");
  if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a tmpfs";
  path_ = disk.path() / "run" / "events";
  auto file = EventFile::open(path_, 100);
  ASSERT_TRUE(file) << file.error().text();
  Result<void> appended;
  std::uint32_t round = 0;
  while (appended && round < 10'000) {
    ++round;
    appended = file->append({RoundId{round}, 1, {{"round/" + std::string(300, 'a'), 1}}});
  }
  ASSERT_FALSE(appended) << "the disk was never full";
  EXPECT_THAT(appended.error().text(), HasSubstr("free disk space"));
  EXPECT_FALSE(file->has("round", RoundId{round}));
  const Answer answer = read_with_python(path_);
  EXPECT_EQ(answer.status, 0) << "an incomplete record is left";
  EXPECT_EQ(answer.lines.size(), round - 1);
}

TEST(EventFilePath, IsBelowItsFolderWhateverTheRunsName) {
  EXPECT_EQ(event_file_of("logs", "mine", 1767323040.5), "logs/mine/events.out.tfevents.1767323040.hansa");
  EXPECT_EQ(event_file_of("logs", "../x", -1), "logs/.._x/events.out.tfevents.0000000000.hansa");
}

}  // namespace
}  // namespace hansa::server
