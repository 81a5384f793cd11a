#include "common/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "common/files.h"
#include "common/log_history.h"
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

TEST(Logger, JsonLinesHaveTheFields) {
  const TemporaryFolder folder;
  const auto log =
      Logger::to_file("aggregator", LogLevel::info, folder.path() / "log", LogFormat::json).value();
  log.warning(
      "pi-03 is \"gone\"\n",
      {.event = LogEvent::client_lost, .round = RoundId(3), .client = "pi-03\x1b", .phase = "training"});
  log.with_component("data").info("text only");
  log.debug("below the level");
  EXPECT_THAT(
      read_text_file(folder.path() / "log", 1000).value(),
      MatchesRegex(
          "[{]\"time\":\"20[0-9-]+T[0-9:]+[.][0-9][0-9][0-9]Z\",\"level\":\"warning\","
          "\"component\":\"aggregator\",\"event\":\"client.lost\","
          "\"message\":\"pi-03 is \\\\\"gone\\\\\"\\\\\\\\x0a\",\"round\":3,"
          "\"client\":\"pi-03\\\\\\\\x1b\",\"phase\":\"training\"[}]\n"
          "[{]\"time\":\"[^\"]+\",\"level\":\"info\",\"component\":\"data\",\"message\":\"text only\"[}]\n"));
}

TEST(Logger, FieldsDoNotChangeTheText) {
  const TemporaryFolder folder;
  const auto log = Logger::to_file("aggregator", LogLevel::info, folder.path() / "log").value();
  log.info("gone",
           {.event = LogEvent::client_lost, .round = RoundId(3), .client = "pi-03", .phase = "training"});
  EXPECT_THAT(read_text_file(folder.path() / "log", 1000).value(),
              MatchesRegex("20[^ ]+ info    aggregator gone\n"));
}

TEST(Logger, TheClientOfALoggerIsInItsLines) {
  const TemporaryFolder folder;
  const auto text = Logger::to_file("client", LogLevel::info, folder.path() / "text").value();
  text.with_client("pi-03").info("here");
  text.with_client("").info("unnamed");
  EXPECT_THAT(read_text_file(folder.path() / "text", 1000).value(),
              MatchesRegex("20[^ ]+ info    pi-03 here\n20[^ ]+ info    client unnamed\n"));
  const auto json =
      Logger::to_file("client", LogLevel::info, folder.path() / "json", LogFormat::json).value();
  json.with_client("pi-03").info("here");
  json.with_client("pi-03").info("there", {.client = "pi-04"});
  EXPECT_THAT(read_text_file(folder.path() / "json", 1000).value(),
              MatchesRegex("[^\n]*\"component\":\"client\",\"message\":\"here\",\"client\":\"pi-03\"}\n"
                           "[^\n]*\"component\":\"client\",\"message\":\"there\",\"client\":\"pi-04\"}\n"));
}

// The progress display shows them to people.
TEST(Logger, ANoteIsInfoForProgramsAndDebugInText) {
  const TemporaryFolder folder;
  const LogFields fields{.event = LogEvent::round_started, .round = RoundId(1)};
  const auto history = std::make_shared<LogHistory>(LogHistory::Limits{});
  const auto quiet = Logger::to_file("a", LogLevel::info, folder.path() / "quiet").value();
  quiet.attach(history);
  quiet.note("starts", fields);
  EXPECT_EQ(read_text_file(folder.path() / "quiet", 1000).value(), "");
  ASSERT_EQ(history->newest(), 1U);
  EXPECT_EQ(history->after(0, 1)[0].level, LogLevel::info);
  Logger::to_file("a", LogLevel::debug, folder.path() / "all").value().note("starts", fields);
  EXPECT_THAT(read_text_file(folder.path() / "all", 1000).value(),
              MatchesRegex("20[^ ]+ debug   a starts\n"));
  Logger::to_file("a", LogLevel::info, folder.path() / "json", LogFormat::json)
      .value()
      .note("starts", fields);
  EXPECT_THAT(read_text_file(folder.path() / "json", 1000).value(), HasSubstr("\"level\":\"info\""));
  Logger::to_file("a", LogLevel::warning, folder.path() / "less", LogFormat::json)
      .value()
      .note("starts", fields);
  EXPECT_EQ(read_text_file(folder.path() / "less", 1000).value(), "");
}

TEST(Logger, TheHistoryGetsWhatIsShownAndMoreFromItsLevelOn) {
  const TemporaryFolder folder;
  const auto messages = [](const LogHistory& history) {
    std::vector<std::string> out;
    for (const LogRecord& record : history.after(0, 100)) out.push_back(record.message);
    return out;
  };
  const auto write_all = [](const Logger& log) {
    log.debug("d");
    log.info("i");
    log.warning("w\n");
  };
  for (const auto& [level, expected] :
       std::vector<std::pair<LogLevel, std::vector<std::string>>>{{LogLevel::debug, {"d", "i", "w\\x0a"}},
                                                                  {LogLevel::info, {"i", "w\\x0a"}},
                                                                  {LogLevel::error, {"i", "w\\x0a"}},
                                                                  {LogLevel::off, {"i", "w\\x0a"}}}) {
    const auto log = Logger::to_file("a", level, folder.path() / "log").value();
    const Logger earlier_copy = log.with_component("b");
    const auto history = std::make_shared<LogHistory>(LogHistory::Limits{});
    log.attach(history);
    write_all(earlier_copy);
    EXPECT_EQ(messages(*history), expected);
    EXPECT_EQ(history->after(0, 1)[0].component, "b");
    EXPECT_TRUE(log.shows(LogLevel::info));
    EXPECT_FALSE(log.shows(LogLevel::off));
  }
}

TEST(LogFormat, TheOptionOverridesTheEnvironmentAndIsLeftThere) {
  ASSERT_EQ(::setenv("HANSA_LOG_FORMAT", "json", 1), 0);
  EXPECT_EQ(choose_log_format("").value(), LogFormat::json);
  EXPECT_EQ(choose_log_format("text").value(), LogFormat::text);
  EXPECT_EQ(choose_log_format("").value(), LogFormat::text);
  const auto wrong = choose_log_format("xml");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().text(), HasSubstr("--log-format: \"xml\""));
  ASSERT_EQ(::setenv("HANSA_LOG_FORMAT", "XML", 1), 0);
  ASSERT_FALSE(choose_log_format(""));
  EXPECT_THAT(choose_log_format("").error().text(), HasSubstr("HANSA_LOG_FORMAT: \"XML\""));
  ASSERT_EQ(::unsetenv("HANSA_LOG_FORMAT"), 0);
  EXPECT_EQ(choose_log_format("").value(), LogFormat::text);
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
