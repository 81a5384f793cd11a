#include "common/config/variables.h"

#include <array>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/config/client_config.h"
#include "client/config/client_schema.h"
#include "client/config/client_variables.h"
#include "common/config/document.h"
#include "common/files.h"
#include "server/config/federation_config.h"
#include "server/config/federation_schema.h"
#include "tests/temporary_folder.h"

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
            .presence = Presence::optional,
            .meaning = "A time.",
            .unit = "seconds",
            .example = "2"},
    Setting{.key = "colour",
            .kind = Kind::choice,
            .presence = Presence::optional,
            .meaning = "A colour.",
            .choices = colours,
            .example = "\"blue\""},
    Setting{.key = "hosts",
            .kind = Kind::texts,
            .presence = Presence::optional,
            .meaning = "Hosts.",
            .example = "[\"a\", \"b\"]"},
    Setting{.key = "means",
            .kind = Kind::numbers,
            .presence = Presence::optional,
            .meaning = "Means.",
            .example = "[0.5, 1]"},
    Setting{.key = "is_on",
            .kind = Kind::boolean,
            .presence = Presence::optional,
            .meaning = "On.",
            .example = "true"},
    Setting{.key = "file",
            .kind = Kind::path,
            .presence = Presence::optional,
            .meaning = "A file.",
            .example = "\"a\""},
};
constexpr std::array inner_settings{
    Setting{.key = "needed", .meaning = "Needed where the table is.", .example = "\"x\""},
    Setting{.key = "more", .presence = Presence::optional, .meaning = "More.", .example = "\"x\""},
};
constexpr std::array tables{Table{"first", Presence::required, "The first.", first_settings},
                            Table{"first.inner", Presence::optional, "An inner one.", inner_settings},
                            Table{"first.rule", Presence::optional, "Rules.", inner_settings, true}};
constexpr Schema schema{"test.toml", "For this test.", tables};

Result<Variables> read(std::vector<std::string> entries) {
  std::vector<const char*> environment;
  for (const std::string& entry : entries) environment.push_back(entry.c_str());
  environment.push_back(nullptr);
  return Variables::read(environment.data(), {&schema});
}

Result<Document> parse(const std::string& toml, std::vector<std::string> entries) {
  HANSA_TRY(const Variables variables, read(std::move(entries)));
  return Document::parse(toml, "conf/test.toml", schema, variables);
}

TEST(Variables, SetValuesOfEveryKind) {
  const auto document =
      parse("", {"HANSA__FIRST__NAME=a \"b\"", "HANSA__FIRST__COUNT=7", "HANSA__FIRST__WAIT_S=2",
                 "HANSA__FIRST__COLOUR=blue", "HANSA__FIRST__HOSTS=[\"a\", \"b\"]",
                 "HANSA__FIRST__MEANS=[0.5, 1]", "HANSA__FIRST__IS_ON=true", "HANSA__FIRST__FILE=a/../b"})
          .value();
  EXPECT_EQ(document.text("first.name"), "a \"b\"") << "a text is taken without quotes and escapes";
  EXPECT_EQ(document.integer("first.count"), 7U);
  EXPECT_EQ(document.number("first.wait_s"), 2.0);
  EXPECT_EQ(document.text("first.colour"), "blue");
  EXPECT_THAT(document.texts("first.hosts"), ElementsAre("a", "b"));
  EXPECT_THAT(document.numbers("first.means"), ElementsAre(0.5, 1.0));
  EXPECT_TRUE(document.boolean("first.is_on"));
  EXPECT_EQ(document.path("first.file"), "conf/b") << "relative to the file's folder";
  EXPECT_THAT(parse("", {"HANSA__FIRST__NAME=a", "HANSA__FIRST__HOSTS=one"})->texts("first.hosts"),
              ElementsAre("one"));
}

TEST(Variables, ReplaceWhatTheFileSaysAlsoIfThatIsWrong) {
  const auto document =
      parse("[first]\nname = \"x\"\ncount = 99\n", {"HANSA__FIRST__COUNT=7", "HANSA_LOG=debug", "HOME=/"})
          .value();
  EXPECT_EQ(document.text("first.name"), "x");
  EXPECT_EQ(document.integer("first.count"), 7U);
  EXPECT_EQ(document.location("first.count"), "HANSA__FIRST__COUNT");
  EXPECT_EQ(document.location("first.name"), "conf/test.toml:2: first.name");
}

TEST(Variables, OfATableThatMayBeAbsentMakeItPresent) {
  const std::string file = "[first]\nname = \"x\"\n";
  EXPECT_FALSE(parse(file, {})->has_table("first.inner"));
  EXPECT_TRUE(parse(file, {"HANSA__FIRST__INNER__NEEDED=y"})->has_table("first.inner"));
  EXPECT_EQ(
      parse(file, {"HANSA__FIRST__INNER__MORE=y"}).error().text(),
      "conf/test.toml: first.inner.needed: is missing; add \"needed = \"x\"\" below [first.inner], or set "
      "HANSA__FIRST__INNER__NEEDED");
}

struct Mistake {
  const char* name;
  std::vector<std::string> variables;
  const char* error;  // the exact text
};
class VariableMistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(VariableMistakes, AreReportedWithTheVariableAndAHint) {
  // The file is wrong too: the variable is reported first.
  const auto document = parse("[first]\nname = \"x\"\ncuont = 4\n", GetParam().variables);
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().code, ErrorCode::usage);
  EXPECT_EQ(document.error().text(), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Table, VariableMistakes,
    ::testing::Values(
        Mistake{"UnknownIsProposed",
                {"HANSA__FIRST__CUONT=4"},
                "HANSA__FIRST__CUONT: is for no setting; did you mean HANSA__FIRST__COUNT?"},
        Mistake{"LowerCase",
                {"HANSA__first__count=4"},
                "HANSA__first__count: is for no setting; write it in capitals: HANSA__FIRST__COUNT"},
        Mistake{"UnknownFarFromAll",
                {"HANSA__ELSEWHERE_ALTOGETHER__X=4"},
                "HANSA__ELSEWHERE_ALTOGETHER__X: is for no setting; HANSA__TABLE__KEY sets a key of "
                "docs/configuration.md; remove any other variable with this prefix"},
        Mistake{"RepeatedTable",
                {"HANSA__FIRST__RULE__NEEDED=4"},
                "HANSA__FIRST__RULE__NEEDED: is for no setting; [[first.rule]] may be repeated, so that it "
                "has no "
                "variables: write it in the file"},
        Mistake{"NotANumber",
                {"HANSA__FIRST__COUNT=many"},
                "HANSA__FIRST__COUNT: must be a whole number, 1 to 10; for example HANSA__FIRST__COUNT=5"},
        Mistake{"TwoValues",
                {"HANSA__FIRST__COUNT=4\nname = \"y\""},
                "HANSA__FIRST__COUNT: must be a whole number, 1 to 10; for example HANSA__FIRST__COUNT=5"},
        Mistake{"OutOfRange",
                {"HANSA__FIRST__COUNT=11"},
                "HANSA__FIRST__COUNT: is 11 but must be 1 to 10; for example HANSA__FIRST__COUNT=5"},
        Mistake{"QuotedBoolean",
                {"HANSA__FIRST__IS_ON=yes"},
                "HANSA__FIRST__IS_ON: must be true or false; for example HANSA__FIRST__IS_ON=true"},
        Mistake{"NoChoice",
                {"HANSA__FIRST__COLOUR=green"},
                "HANSA__FIRST__COLOUR: is \"green\", which is not a choice; use \"red\" or \"blue\""},
        Mistake{"TooLong",
                {"HANSA__FIRST__NAME=123456789"},
                "HANSA__FIRST__NAME: has 9 characters but must have 1 to 8 characters; for example "
                "HANSA__FIRST__NAME=a"},
        Mistake{"Empty",
                {"HANSA__FIRST__NAME="},
                "HANSA__FIRST__NAME: is empty; for example HANSA__FIRST__NAME=a"},
        Mistake{"EmptyNumber",
                {"HANSA__FIRST__COUNT="},
                "HANSA__FIRST__COUNT: must be a whole number, 1 to 10; for example HANSA__FIRST__COUNT=5"},
        Mistake{"DamagedList",
                {"HANSA__FIRST__HOSTS=[\"a\""},
                "HANSA__FIRST__HOSTS: must be a text or a list of texts in quotes; for example "
                "HANSA__FIRST__HOSTS=[\"a\", \"b\"]"}),
    [](const auto& named) { return std::string(named.param.name); });

TEST(Variables, AreRefusedIfSetTwiceTooLongOrNotUtf8) {
  EXPECT_EQ(read({"HANSA__FIRST__COUNT=4", "HANSA__FIRST__COUNT=5"}).error().text(),
            "HANSA__FIRST__COUNT: is set twice; set it once");
  EXPECT_TRUE(read({"HANSA__FIRST__NAME=" + std::string(Variables::bytes_max, 'x')}));
  EXPECT_EQ(read({"HANSA__FIRST__NAME=" + std::string(Variables::bytes_max + 1, 'x')}).error().text(),
            "HANSA__FIRST__NAME: has 65537 bytes, and at most 65536 are read; write it in the file");
  EXPECT_EQ(read({"HANSA__FIRST__NAME=\xff"}).error().text(),
            "HANSA__FIRST__NAME: is not UTF-8; write it in UTF-8");
}

TEST(Variables, AreNamedForTheLogWithoutTheirValues) {
  EXPECT_EQ(read({"HANSA__FIRST__NAME=secret", "HANSA__FIRST__COUNT=4"})->names(),
            "HANSA__FIRST__COUNT, HANSA__FIRST__NAME");
}

TEST(Variables, NamesOfAllSettingsAreDifferentAndCanBeReadBack) {
  std::set<std::string> client, federation;
  const auto add = [](const Schema& of, std::set<std::string>& names) {
    for (const Table& table : of.tables)
      for (const Setting& setting : table.settings) {
        const std::string key = std::string(table.name) + "." + std::string(setting.key);
        EXPECT_EQ(key.find("__"), std::string::npos) << key;
        EXPECT_TRUE(names.insert(variable_name(key)).second) << key;
        EXPECT_EQ(variable_name(key).find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"),
                  std::string::npos)
            << key;
      }
  };
  add(client::client_schema(), client);
  add(client::join_schema(), client);
  add(server::federation_schema(), federation);
  EXPECT_TRUE(client.contains("HANSA__DATA__FILE"));
  EXPECT_TRUE(federation.contains("HANSA__STRATEGY__FEDAVGM__MOMENTUM"));
}

TEST(ClientVariables, MayBeTheWholeConfiguration) {
  const TemporaryFolder folder;
  const std::array<const char*, 8> environment{
      "HANSA__CLIENT__NAME=c1",
      "HANSA__CLIENT__FEDERATION=f",
      "HANSA__CLIENT__KEY=/keys/client.key",
      "HANSA__AGGREGATOR__ADDRESS=tcp://10.0.0.5:7470",
      "HANSA__AGGREGATOR__PUBLIC_KEY=rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
      "HANSA__DATA__IMAGES=i",
      "HANSA__DATA__LABELS=l",
      nullptr};
  const auto variables = client::read_client_variables(environment.data()).value();
  const auto config = client::read_client_config(folder.path() / "client.toml", variables).value();
  EXPECT_EQ(config.name, "c1");
  EXPECT_EQ(config.key, "/keys/client.key");
  EXPECT_EQ(config.state, folder.path() / "state");
  EXPECT_THAT(config.addresses, ElementsAre("tcp://10.0.0.5:7470"));
  EXPECT_THAT(client::read_client_config(folder.path() / "client.toml").error().text(),
              HasSubstr("client.toml: cannot be opened"))
      << "without variables there must be a file";
}

TEST(ClientVariables, AWrongValueIsAnErrorBeforeThereIsAFile) {
  const std::array<const char*, 3> environment{"HANSA__JOIN__TOKEN=HANSA1SECRET",
                                               "HANSA__RESOURCES__THREADS=x", nullptr};
  EXPECT_EQ(client::read_client_variables(environment.data()).error().text(),
            "HANSA__RESOURCES__THREADS: must be a whole number, 1 to 1,024 (threads); for example "
            "HANSA__RESOURCES__THREADS=2");
}

TEST(FederationVariables, ReplaceValuesOfTheFile) {
  const std::array<const char*, 3> environment{"HANSA__FEDERATION__ROUNDS=7",
                                               "HANSA__AGGREGATOR__KEY=/keys/aggregator.key", nullptr};
  const auto variables = server::read_federation_variables(environment.data()).value();
  const TemporaryFolder folder;
  const auto file = folder.path() / "federation.toml";
  ASSERT_TRUE(
      write_file_atomically(file,
                            "[federation]\nname = \"f\"\nrounds = 3\n[aggregator]\nkey = \"k\"\nadmitted = "
                            "\"a\"\n[model]\narchive = \"m.pt\"\n"));
  const auto config = server::read_federation_config(file, variables);
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->rounds, 7U);
  EXPECT_EQ(config->key, "/keys/aggregator.key");
  EXPECT_EQ(config->admitted, folder.path() / "a");
}

}  // namespace
}  // namespace hansa::config
