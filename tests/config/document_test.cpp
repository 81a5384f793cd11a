#include "common/config/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace hansa::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::array<std::string_view, 2> colours{"red", "blue"};
constexpr std::array first_settings{
    Setting{.key = "name", .meaning = "A name.", .range = {.least = 1, .most = 8}, .example = "\"a\""},
    Setting{.key = "count",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "3",
            .meaning = "A count.",
            .range = {.least = 1, .most = 10},
            .example = "5"},
    Setting{.key = "wait_s",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "1.5",
            .meaning = "A time.",
            .unit = "seconds",
            .range = {.least = 0, .most = 60, .at_least = Bound::exclusive},
            .example = "2"},
    Setting{.key = "colour",
            .kind = Kind::choice,
            .presence = Presence::defaulted,
            .default_value = "\"red\"",
            .meaning = "A colour.",
            .choices = colours,
            .example = "\"blue\""},
    Setting{.key = "hosts",
            .kind = Kind::texts,
            .presence = Presence::optional,
            .meaning = "Hosts.",
            .example = "\"a\""},
    Setting{.key = "file",
            .kind = Kind::path,
            .presence = Presence::optional,
            .meaning = "A file.",
            .example = "\"a\""},
};
constexpr std::array second_settings{
    Setting{.key = "needed", .meaning = "Needed where the table is.", .example = "\"x\""},
};
constexpr std::array rule_settings{
    Setting{.key = "match", .meaning = "A pattern.", .example = "\"x\""},
    Setting{.key = "size",
            .kind = Kind::integer,
            .presence = Presence::optional,
            .meaning = "A size.",
            .range = {.least = 1},
            .example = "2"},
};
constexpr std::array tables{Table{"first", Presence::required, "The first.", first_settings},
                            Table{"second", Presence::optional, "The second.", second_settings},
                            Table{"first.rule", Presence::optional, "Rules.", rule_settings, true}};
constexpr Schema schema{"test.toml", "For this test.", tables};

TEST(Document, AbsentKeysHaveTheirDefaults) {
  const auto document = Document::parse("[first]\nname = \"x\"\n", "test.toml", schema).value();
  EXPECT_EQ(document.text("first.name"), "x");
  EXPECT_EQ(document.integer("first.count"), 3U);
  EXPECT_EQ(document.duration_s("first.wait_s"), std::chrono::milliseconds(1500));
  EXPECT_EQ(document.text("first.colour"), "red");
  EXPECT_FALSE(document.has("first.hosts"));
  EXPECT_FALSE(document.has_table("second"));
}

TEST(Document, RepeatedTablesAreReadInOrder) {
  const auto none = Document::parse("[first]\nname = \"x\"\n", "test.toml", schema).value();
  EXPECT_EQ(none.count("first.rule"), 0U);
  const auto two =
      Document::parse(
          "[first]\nname = \"x\"\n[[first.rule]]\nmatch = \"a\"\n[[first.rule]]\nmatch = \"b\"\nsize = 3\n",
          "test.toml", schema)
          .value();
  ASSERT_EQ(two.count("first.rule"), 2U);
  EXPECT_EQ(two.text("first.rule[0].match"), "a");
  EXPECT_FALSE(two.has("first.rule[0].size"));
  EXPECT_EQ(two.text("first.rule[1].match"), "b");
  EXPECT_EQ(two.integer("first.rule[1].size"), 3U);
}

TEST(Document, ErrorsInRepeatedTablesNameTheTable) {
  const auto error = [](const std::string& rules) {
    const auto document = Document::parse("[first]\nname = \"x\"\n" + rules, "test.toml", schema);
    EXPECT_FALSE(document) << rules;
    return document ? "" : document.error().text();
  };
  EXPECT_THAT(error("[[first.rule]]\nmatch = \"a\"\n[[first.rule]]\nsize = 0\nmatch = \"b\"\n"),
              HasSubstr("test.toml:6: first.rule[1].size"));
  EXPECT_THAT(error("[[first.rule]]\nsize = 2\n"), HasSubstr("first.rule[0].match: is missing"));
  EXPECT_THAT(error("[[first.rule]]\nmatch = \"a\"\nmach = \"b\"\n"), HasSubstr("did you mean \"match\"?"));
  EXPECT_THAT(error("[first.rule]\nmatch = \"a\"\n"), HasSubstr("[[first.rule]]"));
}

TEST(Document, WrittenKeysAreRead) {
  const auto document =
      Document::parse(
          "[first]\nname = \"x\"\ncount = 10\nwait_s = 2\ncolour = \"blue\"\nhosts = [\"a\", \"b\"]\n"
          "file = \"../keys/./a\"\n[second]\nneeded = \"y\"\n",
          "conf/test.toml", schema)
          .value();
  EXPECT_EQ(document.integer("first.count"), 10U);
  EXPECT_EQ(document.number("first.wait_s"), 2.0) << "an integer is a number";
  EXPECT_THAT(document.texts("first.hosts"), ElementsAre("a", "b"));
  EXPECT_EQ(document.path("first.file"), "keys/a") << "relative to the file's folder";
  EXPECT_EQ(document.location("first.count"), "conf/test.toml:3: first.count");
  EXPECT_TRUE(document.has_table("second"));
}

TEST(Document, AnAbsolutePathIsNotChanged) {
  const auto document =
      Document::parse("[first]\nname = \"x\"\nfile = \"/etc/a\"\nhosts = \"one\"\n", "conf/test.toml", schema)
          .value();
  EXPECT_EQ(document.path("first.file"), "/etc/a");
  EXPECT_THAT(document.texts("first.hosts"), ElementsAre("one"));
}

struct Mistake {
  const char* name;
  const char* toml;
  const char* error;  // the exact text
};
class Mistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, AreReportedWithFileLineKeyAndHint) {
  const auto document = Document::parse(GetParam().toml, "test.toml", schema);
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().code, ErrorCode::usage);
  EXPECT_EQ(document.error().text(), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Mistakes,
    ::testing::Values(
        Mistake{"UnknownKeyIsProposed", "[first]\nname = \"x\"\n\ncuont = 4\n",
                "test.toml:4: first.cuont: unknown key; did you mean \"count\"?"},
        Mistake{
            "UnknownKeyFarFromAll", "[first]\nname = \"x\"\nzzzzzzzz = 4\n",
            "test.toml:3: first.zzzzzzzz: unknown key; known here: name, count, wait_s, colour, hosts, file"},
        Mistake{"UnknownTable", "[first]\nname = \"x\"\n[secnd]\n",
                "test.toml:3: [secnd]: unknown table; did you mean \"second\"?"},
        Mistake{"KeyOutsideTables", "count = 4\n[first]\nname = \"x\"\n",
                "test.toml:1: count: is outside a table; move it below [first]"},
        Mistake{"TableAsValue", "first = 3\n",
                "test.toml:1: first: must be a table; write [first] on a line of its own"},
        Mistake{"WrongKind", "[first]\nname = 7\n",
                "test.toml:2: first.name: must be a text in quotes, 1 to 8 characters; for example \"name = "
                "\"a\"\""},
        Mistake{"FractionForAWhole", "[first]\nname = \"x\"\ncount = 4.5\n",
                "test.toml:3: first.count: must be a whole number, 1 to 10; for example \"count = 5\""},
        Mistake{"TextForANumber", "[first]\nname = \"x\"\nwait_s = \"2\"\n",
                "test.toml:3: first.wait_s: must be a number, above 0, to 60 (seconds); for example \"wait_s "
                "= 2\""},
        Mistake{"AboveTheRange", "[first]\nname = \"x\"\ncount = 11\n",
                "test.toml:3: first.count: is 11 but must be 1 to 10; for example \"count = 5\""},
        Mistake{"NegativeCount", "[first]\nname = \"x\"\ncount = -1\n",
                "test.toml:3: first.count: is -1 but must be 1 to 10; for example \"count = 5\""},
        Mistake{"ExclusiveBound", "[first]\nname = \"x\"\nwait_s = 0\n",
                "test.toml:3: first.wait_s: is 0 but must be above 0, to 60 (seconds); for example \"wait_s "
                "= 2\""},
        Mistake{"NotANumber", "[first]\nname = \"x\"\nwait_s = nan\n",
                "test.toml:3: first.wait_s: is nan but must be above 0, to 60 (seconds); for example "
                "\"wait_s = 2\""},
        Mistake{"Infinite", "[first]\nname = \"x\"\nwait_s = inf\n",
                "test.toml:3: first.wait_s: is inf but must be above 0, to 60 (seconds); for example "
                "\"wait_s = 2\""},
        Mistake{"NoChoice", "[first]\nname = \"x\"\ncolour = \"green\"\n",
                "test.toml:3: first.colour: is \"green\", which is not a choice; use \"red\" or \"blue\""},
        Mistake{"TextTooLong", "[first]\nname = \"123456789\"\n",
                "test.toml:2: first.name: has 9 characters but must have 1 to 8 characters; for example "
                "\"name = \"a\"\""},
        Mistake{"EmptyText", "[first]\nname = \"\"\n",
                "test.toml:2: first.name: is empty; for example \"name = \"a\"\""},
        Mistake{"EmptyList", "[first]\nname = \"x\"\nhosts = []\n",
                "test.toml:3: first.hosts: is an empty list; for example \"hosts = \"a\"\""},
        Mistake{"MissingKey", "\n[first]\ncount = 2\n",
                "test.toml:2: first.name: is missing; add \"name = \"a\"\" below [first]"},
        Mistake{"MissingTable", "", "test.toml: first.name: is missing; add \"name = \"a\"\" below [first]"},
        Mistake{"MissingKeyOfAnOptionalTable", "[first]\nname = \"x\"\n[second]\n",
                "test.toml:3: second.needed: is missing; add \"needed = \"x\"\" below [second]"},
        Mistake{"TheFirstOfSeveral", "[first]\nname = \"x\"\ncount = 99\nwait_s = 0\n[secnd]\n",
                "test.toml:3: first.count: is 99 but must be 1 to 10; for example \"count = 5\""},
        Mistake{"AMisspelledKeyComesBeforeTheMissingOne", "[first]\ncount = 2\nnam = \"x\"\n",
                "test.toml:3: first.nam: unknown key; did you mean \"name\"?"}),
    [](const auto& test) { return test.param.name; });

TEST(Document, InvalidTomlIsReportedWithItsLine) {
  const auto document = Document::parse("[first]\nname = \"x\ncount = 1\n", "test.toml", schema);
  ASSERT_FALSE(document);
  EXPECT_THAT(document.error().location, HasSubstr("test.toml:2"));
  EXPECT_THAT(document.error().text(), HasSubstr("toml.io"));
}

struct HandWritten {
  const char* name;
  std::string toml;
  const char* error;  // after "test.toml"
};
class MistakesOfTheHand : public ::testing::TestWithParam<HandWritten> {};

TEST_P(MistakesOfTheHand, AreReportedWithWhatToWrite) {
  const auto document = Document::parse(GetParam().toml, "test.toml", schema);
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().text(), std::string("test.toml") + GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Table, MistakesOfTheHand,
    ::testing::Values(
        HandWritten{
            "WindowsPath", "[first]\nname = \"x\"\nfile = \"C:\\data\\d.csv\"\n",
            ":3: has a backslash in double quotes; write single quotes around it, or / in place of \\"},
        HandWritten{"NoQuotes", "[first]\nname = \"x\"\nfile = ../d.csv\n",
                    ":3: file has a text without quotes; write file = \"...\""},
        HandWritten{"TrueInPython", "[first]\nname = True\n",
                    ":2: name is neither true nor false; write true, in lower case"},
        HandWritten{"TypographicQuotes", "[first]\nname = \u201cx\u201d\n",
                    ":2: has typographic quotes; write straight ones: \""},
        HandWritten{"Utf16", std::string("\xff\xfe[\0f\0", 6),
                    ":1: is UTF-16; save the file as UTF-8; editors call it an encoding"},
        HandWritten{
            "Latin1", "[first]\nname = \"\xe9\"\n",
            ":2: has a character that is not UTF-8; save the file as UTF-8; editors call it an encoding"},
        HandWritten{"TableTwice", "[first]\nname = \"x\"\n[first]\ncount = 1\n",
                    ":3: [first] is in the file twice; put its keys below the first one"},
        HandWritten{
            "HomeFolder", "[first]\nname = \"x\"\nfile = \"~/d.csv\"\n",
            ":3: first.file: is \"~/d.csv\"; \"~\" stands for a home folder in a shell only: write the "
            "whole path"},
        HandWritten{"Variable", "[first]\nname = \"x\"\nfile = \"$HOME/d.csv\"\n",
                    ":3: first.file: is \"$HOME/d.csv\"; variables are not replaced in this file: write the "
                    "whole path"}),
    [](const auto& test) { return test.param.name; });

TEST(Document, AMissingFileIsReportedWithTheCommandThatCreatesOne) {
  const auto document = Document::read("/nonexistent/test.toml", schema);
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().code, ErrorCode::usage);
  EXPECT_THAT(document.error().text(), HasSubstr("hansa new"));
}

TEST(Schema, MarkdownHasALineForEachKey) {
  const std::string text = schema_markdown(schema);
  for (const auto& table : tables)
    for (const auto& setting : table.settings)
      EXPECT_THAT(text, HasSubstr("| `" + std::string(setting.key) + "` |"));
  EXPECT_THAT(text, HasSubstr("above 0, to 60 seconds"));
}

}  // namespace
}  // namespace hansa::config
