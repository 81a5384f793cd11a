#include "common/files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "tests/temporary_folder.h"

namespace hansa {
namespace {

namespace fs = std::filesystem;

std::size_t file_count(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(Files, WrittenContentIsReadBack) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a";
  for (const std::string& text : {std::string(), std::string("line\n"), std::string(3'000'000, 'x')}) {
    ASSERT_TRUE(write_file_atomically(file, text));
    EXPECT_EQ(read_text_file(file, 4'000'000).value(), text);
    EXPECT_EQ(read_binary_file(file, 4'000'000).value().size(), text.size());
    std::string again(text.size(), ' ');
    ASSERT_TRUE(read_file_into(file, std::as_writable_bytes(std::span(again))));
    EXPECT_EQ(again, text);
    EXPECT_EQ(copy_file_atomically(file, file).value(), sha256(text)) << "over itself";
    EXPECT_EQ(read_text_file(file, 4'000'000).value(), text);
  }
  EXPECT_EQ(file_count(folder.path()), 1U) << "a temporary file is left";
}

TEST(Files, LargerThanTheBoundIsRefused) {
  const TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder.path() / "a", std::string_view("12345")));
  EXPECT_TRUE(read_text_file(folder.path() / "a", 5));
  EXPECT_FALSE(read_text_file(folder.path() / "a", 4));
  std::string other(6, ' ');
  EXPECT_FALSE(read_file_into(folder.path() / "a", std::as_writable_bytes(std::span(other))));
}

TEST(Files, MissingFilesAndFoldersAreErrorsThatNameThem) {
  const TemporaryFolder folder;
  const auto missing = read_text_file(folder.path() / "missing", 10);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().location, (folder.path() / "missing").string());
  EXPECT_FALSE(read_text_file(folder.path(), 10)) << "a folder is not a file";
  EXPECT_FALSE(write_file_atomically(folder.path() / "none" / "a", std::string_view("x")));
}

TEST(Files, SecretFilesAreReadableOnlyByTheirOwner) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "key";
  ASSERT_TRUE(write_file_atomically(file, std::string_view("old"), FileAccess::everyone_reads));
  ASSERT_TRUE(write_file_atomically(file, std::string_view("secret"), FileAccess::owner_only));
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

// The kernel refuses to write past RLIMIT_FSIZE, which is a real write failure in the middle of the file.
// Somebody who may write to the folder has put a link where the temporary file will be.
TEST(AdversaryFiles, ASecretIsNotWrittenThroughALinkOfAnotherUser) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "device.key", other = folder.path() / "other";
  std::ofstream(other) << "not a key";
  fs::create_symlink(other, file.string() + ".tmp" + std::to_string(::getpid()));
  ASSERT_TRUE(write_file_atomically(file, "secret", FileAccess::owner_only));
  EXPECT_EQ(read_text_file(other, 100).value(), "not a key");
  EXPECT_EQ(read_text_file(file, 100).value(), "secret");
  EXPECT_FALSE(fs::is_symlink(file));
}

TEST(Files, AFailedWriteKeepsTheOldFileAndLeavesNoOther) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a";
  ASSERT_TRUE(write_file_atomically(file, std::string_view("old")));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto written = write_file_atomically(file, std::string(100'000, 'x'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::storage);
  EXPECT_EQ(read_text_file(file, 100).value(), "old");
  EXPECT_EQ(file_count(folder.path()), 1U);
}

}  // namespace
}  // namespace hansa
