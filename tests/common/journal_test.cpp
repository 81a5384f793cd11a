#include "common/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/files.h"
#include "common/program.h"
#include "tests/temporary_folder.h"

namespace hansa {
namespace {

// Makes a file standard error, as systemd makes the stream to its journal, until the end of the scope.
class StandardError {
 public:
  explicit StandardError(const std::filesystem::path& file)
      : before_(::dup(STDERR_FILENO)), file_(::open(file.c_str(), O_RDWR | O_CREAT, 0600)) {
    ::dup2(file_.get(), STDERR_FILENO);
  }
  ~StandardError() { ::dup2(before_.get(), STDERR_FILENO); }
  StandardError(const StandardError&) = delete;
  StandardError& operator=(const StandardError&) = delete;
  [[nodiscard]] std::string name() const {
    struct stat status {};
    ::fstat(file_.get(), &status);
    return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  }

 private:
  Descriptor before_, file_;
};

void write_lines() {
  const Logger log = Logger::to_stderr("client", LogLevel::debug);
  log.debug("d");
  log.info("i\n<0>forged");
  log.warning("w");
  log.error("e");
  (void)run_program("hansa", []() -> Result<int> { return fail(ErrorCode::usage, "f", "is wrong"); });
}

// The journal takes the priority away, so that its message is the JSON alone.
TEST(Journal, JsonLinesHavePriorities) {
  const TemporaryFolder folder;
  {
    const StandardError error(folder / "journal");
    ::setenv("JOURNAL_STREAM", error.name().c_str(), 1);
    ::setenv("HANSA_LOG_FORMAT", "json", 1);
    Logger::to_stderr("client", LogLevel::debug, LogFormat::json).warning("w");
    (void)run_program("hansa", []() -> Result<int> { return fail(ErrorCode::usage, "f", "is wrong"); });
    ::unsetenv("HANSA_LOG_FORMAT");
    ::unsetenv("JOURNAL_STREAM");
  }
  EXPECT_THAT(
      read_text_file(folder / "journal", 1000).value(),
      ::testing::MatchesRegex(
          "<4>[{]\"time\":\"[^\"]+\",\"level\":\"warning\",\"component\":\"client\",\"message\":\"w\"[}]\n"
          "<3>[{]\"time\":\"[^\"]+\",\"level\":\"error\",\"component\":\"hansa\",\"event\":\"program."
          "failed\","
          "\"message\":\"f: is wrong\"[}]\n"));
}

TEST(Journal, LinesHavePrioritiesAndNoTime) {
  const TemporaryFolder folder;
  {
    const StandardError error(folder / "journal");
    ::setenv("JOURNAL_STREAM", error.name().c_str(), 1);
    write_lines();
    ::unsetenv("JOURNAL_STREAM");
  }
  EXPECT_EQ(read_text_file(folder / "journal", 1000).value(),
            "<7>client d\n<6>client i\\x0a<0>forged\n<4>client w\n<3>client e\n<3>hansa: f: is wrong\n");
}

// Standard error was redirected after systemd set the variable: 2>file in a shell script.
TEST(Journal, AnotherStandardErrorIsNotTheJournal) {
  const TemporaryFolder folder;
  {
    const StandardError error(folder / "file");
    ::setenv("JOURNAL_STREAM", "1:2", 1);
    EXPECT_FALSE(is_journal(STDERR_FILENO));
    write_lines();
    ::unsetenv("JOURNAL_STREAM");
  }
  const std::string text = read_text_file(folder / "file", 1000).value();
  EXPECT_TRUE(text.starts_with("20")) << text;
  EXPECT_EQ(text.find("<7>"), std::string::npos) << text;
}

}  // namespace
}  // namespace hansa
