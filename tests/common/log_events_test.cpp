// The events in the code, and those in docs/logs.md.
#include "common/log_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "common/files.h"

namespace hansa {
namespace {

namespace fs = std::filesystem;

const fs::path project = HANSA_PROJECT;

std::set<std::string> words(std::string_view text) {
  std::istringstream stream{std::string(text)};
  return {std::istream_iterator<std::string>(stream), {}};
}

std::string row_of(const LogEventInfo& info) {
  const auto listed = [](std::string_view text) {
    std::string out(text);
    for (std::size_t at = 0; (at = out.find(' ', at)) != std::string::npos; at += 2) out.replace(at, 1, ", ");
    return out;
  };
  return "| `" + std::string(info.name) + "` | " + listed(info.levels) + " | " +
         (info.fields.empty() ? "" : listed(info.fields) + " ") + "| " + std::string(info.meaning) + " |\n";
}

TEST(LogEvents, ThePageHasTheTableOfTheCode) {
  std::string table = "| event | level | fields | meaning |\n| --- | --- | --- | --- |\n";
  for (const LogEventInfo& info : log_events()) table += row_of(info);
  const std::string page = read_text_file(project / "docs" / "logs.md", 1 << 20).value();
  const std::string from = "<!-- events -->\n", to = "<!-- end of events -->\n";
  const std::size_t begin = page.find(from), end = page.find(to);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos);
  EXPECT_EQ(page.substr(begin + from.size(), end - begin - from.size()), table)
      << "docs/logs.md: copy this table between the two comments";
}

TEST(LogEvents, NamesAreShortStableAndDistinct) {
  std::set<std::string_view> names;
  for (const LogEventInfo& info : log_events()) {
    EXPECT_TRUE(std::regex_match(std::string(info.name), std::regex("[a-z]+\\.[a-z_]+"))) << info.name;
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(name(info.event), info.name);
    EXPECT_FALSE(info.meaning.empty()) << info.name;
    EXPECT_TRUE(info.meaning.ends_with(".")) << info.name;
  }
  EXPECT_EQ(name(LogEvent::none), "");
}

TEST(LogEvents, LevelsAndFieldsAreThoseOfRecords) {
  const std::set<std::string> levels{"debug", "info", "warning", "error"}, fields{"round", "client", "phase"};
  for (const LogEventInfo& info : log_events()) {
    EXPECT_FALSE(words(info.levels).empty()) << info.name;
    EXPECT_TRUE(std::ranges::includes(levels, words(info.levels))) << info.name;
    EXPECT_TRUE(std::ranges::includes(fields, words(info.fields))) << info.name;
  }
}

// An event that nothing logs any more must leave the page.
TEST(LogEvents, EachEventIsLoggedSomewhere) {
  std::string code;
  for (const char* folder : {"client", "common", "server"})
    for (const auto& entry : fs::recursive_directory_iterator(project / folder))
      if (entry.path().extension() == ".cpp" || entry.path().extension() == ".h")
        code += read_text_file(entry.path(), 1 << 20).value();
  for (const LogEventInfo& info : log_events()) {
    std::string enumerator(info.name);
    std::ranges::replace(enumerator, '.', '_');
    EXPECT_TRUE(std::regex_search(code, std::regex("LogEvent::" + enumerator + "\\b"))) << info.name;
  }
}

}  // namespace
}  // namespace hansa
