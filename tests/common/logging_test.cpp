#include "common/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "common/files.h"
#include "tests/temporary_folder.h"

namespace hansa {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

TEST(Logger, WritesTimeLevelComponentAndMessage) {
  const TemporaryFolder folder;
  const auto log = Logger::to_file("client", LogLevel::info, folder.path() / "log").value();
  log.info("round 3: trained 512 examples");
  log.with_component("data").warning("slow");
  EXPECT_THAT(
      read_text_file(folder.path() / "log", 1000).value(),
      MatchesRegex("20[0-9-]+T[0-9:.]+[+-][0-9][0-9]:[0-9][0-9] info +client round 3: trained 512 examples\n"
                   "20[0-9-]+T[0-9:.]+[+-][0-9][0-9]:[0-9][0-9] warning +data slow\n"));
}

TEST(Logger, MessagesBelowTheLevelAreNotWritten) {
  const TemporaryFolder folder;
  const auto log = Logger::to_file("client", LogLevel::warning, folder.path() / "log").value();
  log.info("quiet");
  log.error("loud");
  EXPECT_FALSE(log.shows(LogLevel::info));
  const std::string text = read_text_file(folder.path() / "log", 1000).value();
  EXPECT_THAT(text, Not(HasSubstr("quiet")));
  EXPECT_THAT(text, HasSubstr("loud"));
}

// A message from a peer must not be able to forge a log line or to control the terminal.
TEST(Logger, ControlCharactersInAMessageAreEscaped) {
  const TemporaryFolder folder;
  const auto log = Logger::to_file("client", LogLevel::info, folder.path() / "log").value();
  log.info("a\nb\x1b[2J{}%n");
  EXPECT_THAT(read_text_file(folder.path() / "log", 1000).value(), HasSubstr("client a\\x0ab\\x1b[2J{}%n\n"));
}

TEST(Logger, CopiesFollowARedirection) {
  const TemporaryFolder folder;
  const auto log = Logger::to_file("client", LogLevel::info, folder.path() / "first").value();
  const Logger copy = log.with_component("copy");
  ASSERT_TRUE(log.redirect_to_file(folder.path() / "second"));
  copy.info("here");
  EXPECT_EQ(read_text_file(folder.path() / "first", 1000).value(), "");
  EXPECT_THAT(read_text_file(folder.path() / "second", 1000).value(), HasSubstr("copy here"));
}

TEST(Logger, AFileThatCannotBeOpenedIsAnError) {
  EXPECT_FALSE(Logger::to_file("client", LogLevel::info, "/proc/none/log"));
}

TEST(Logger, TheDefaultLoggerWritesNothing) {
  const Logger silent;
  silent.error("nothing");
  EXPECT_FALSE(silent.shows(LogLevel::error));
}

TEST(LogLevel, TheOptionOverridesTheEnvironment) {
  ASSERT_EQ(::setenv("HANSA_LOG", "debug", 1), 0);
  EXPECT_EQ(choose_log_level("").value(), LogLevel::debug);
  EXPECT_EQ(choose_log_level("error").value(), LogLevel::error);
  ASSERT_EQ(::setenv("HANSA_LOG", "verbose", 1), 0);
  const auto wrong = choose_log_level("");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().text(), HasSubstr("HANSA_LOG: \"verbose\""));
  ASSERT_EQ(::unsetenv("HANSA_LOG"), 0);
  EXPECT_EQ(choose_log_level("").value(), LogLevel::info);
}

}  // namespace
}  // namespace hansa
