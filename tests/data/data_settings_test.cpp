#include "learning/data/data_settings.h"

#include <gmock/gmock.h>

namespace hansa::learning {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::array tables{
    config::Table{"data", config::Presence::required, "The examples.", data_settings}};
constexpr config::Schema schema{"a.toml", "A test's.", tables};

Result<DataConfig> read(const std::string& lines) {
  HANSA_TRY(const auto document, config::Document::parse("[data]\n" + lines, "a.toml", schema));
  return read_data_config(document, "data");
}
std::string refusal(const std::string& lines) {
  const auto config = read(lines);
  return config ? "was read" : config.error().text();
}

TEST(DataSettings, EveryKeyReachesTheStruct) {
  const DataConfig config =
      read(
          "kind = \"windows\"\nfile = \"/d/a.csv\"\ncolumns = [\"a\", \"b\"]\nlabel = \"y\"\n"
          "classes = [\"B\", \"M\"]\ndelimiter = \";\"\nmissing = \"mean\"\n"
          "scale = \"standard\"\ngroup = \"m\"\nwindow = 8\nstride = 4\nhorizon = 2\n"
          "examples_max = 9\n")
          .value();
  EXPECT_EQ(config.kind, "windows");
  EXPECT_EQ(config.file, "/d/a.csv");
  EXPECT_THAT(config.columns, ElementsAre("a", "b"));
  EXPECT_EQ(config.label, "y");
  EXPECT_EQ(config.target, TargetKind::class_index);
  EXPECT_THAT(config.classes, ElementsAre("B", "M"));
  EXPECT_EQ(config.delimiter, ";");
  EXPECT_EQ(config.missing, MissingValues::mean);
  EXPECT_EQ(config.scale, Scaling::standard);
  EXPECT_EQ(config.group, "m");
  EXPECT_EQ(config.window, 8U);
  EXPECT_EQ(config.stride, 4U);
  EXPECT_EQ(config.horizon, 2U);
  EXPECT_EQ(config.examples_max, 9U);
  const DataConfig real = read("kind = \"csv\"\nfile = \"a\"\nlabel = \"y\"\ntarget = \"real\"\n").value();
  EXPECT_EQ(real.target, TargetKind::real);
}

TEST(DataSettings, ExamplesOfTokensAndAudioDoNotOverlapUnlessTheStrideSaysSo) {
  const std::string lines = "file = \"a\"\nwindow = 8\n";
  EXPECT_EQ(read("kind = \"tokens\"\n" + lines)->stride, 8U);
  EXPECT_EQ(read("kind = \"audio\"\n" + lines)->stride, 8U);
  EXPECT_EQ(read("kind = \"tokens\"\n" + lines + "stride = 2\n")->stride, 2U);
  EXPECT_EQ(read("kind = \"text\"\n" + lines)->stride, 1U);
}

TEST(DataSettings, SomeTrainingFilesMayBeDamagedAndNoneOfAnEvaluation) {
  const std::string images = "kind = \"images\"\nclass_folders = \"a\"\nsize = 8\n";
  EXPECT_EQ(read(images)->damaged_max, 0.01);
  EXPECT_EQ(read(images + "damaged_max = 0\n")->damaged_max, 0);
  EXPECT_EQ(read(images + "damaged_max = 0.25\n")->damaged_max, 0.25);
  EXPECT_THAT(refusal(images + "damaged_max = 0.6\n"),
              HasSubstr("data.damaged_max: is 0.6 but must be 0 to 0.5"));
  EXPECT_THAT(refusal("kind = \"csv\"\nfile = \"a\"\nlabel = \"y\"\ndamaged_max = 0.1\n"),
              HasSubstr("data.damaged_max: does not apply to data of kind \"csv\""));
  static constexpr std::array evaluation{
      config::Table{"evaluation", config::Presence::required, "The examples.", data_settings}};
  constexpr config::Schema federation{"a.toml", "A test's.", evaluation};
  const auto document = config::Document::parse("[evaluation]\n" + images, "a.toml", federation);
  ASSERT_TRUE(document) << document.error().text();
  EXPECT_EQ(read_data_config(*document, "evaluation")->damaged_max, 0);
}

TEST(DataSettings, TheKindOfAPluginIsNotCheckedAgainstTheKnownKinds) {
  const DataConfig config =
      read("kind = \"camera\"\nplugin = \"/l/c.so\"\noptions = \"x=1\"\nfile = \"f\"\n").value();
  EXPECT_EQ(config.kind, "camera");
  EXPECT_EQ(config.plugin, "/l/c.so");
  EXPECT_EQ(config.options, "x=1");
}

TEST(DataSettings, KeysThatExcludeEachOtherAreRefusedWithTheirLine) {
  const std::string csv = "kind = \"csv\"\nfile = \"a\"\nlabel = \"y\"\n";
  struct Case {
    std::string lines;
    const char* error;
  };
  for (const auto& [lines, error] :
       {Case{"kind = \"cvs\"\n",
             "a.toml:2: data.kind: is \"cvs\", which is not a kind of data; did you mean \"csv\"?"},
        Case{"kind = \"parquet\"\n", "the kinds are \"idx\", \"csv\""},
        Case{"images = \"i\"\n", "a.toml:1: data.labels: is missing; kind \"idx\" needs it: add \"labels = "},
        Case{"kind = \"csv\"\nfile = \"a\"\n", "data.label: is missing; kind \"csv\" needs it"},
        Case{"kind = \"windows\"\nfile = \"a\"\nlabel = \"y\"\n", "data.window: is missing"},
        Case{"kind = \"tensors\"\n", "data.file: is missing"},
        Case{csv + "images = \"i\"\n", "a.toml:5: data.images: does not apply to data of kind \"csv\""},
        Case{csv + "window = 3\n", "a.toml:5: data.window: does not apply to data of kind \"csv\""},
        Case{"kind = \"jsonl\"\nfile = \"a\"\nlabel = \"y\"\nsequences = [\"t\"]\n",
             "data.length: is missing; set both sequences and length"},
        Case{"kind = \"jsonl\"\nfile = \"a\"\nlabel = \"y\"\nlength = 3\n",
             "data.sequences: is missing; set both"},
        Case{csv + "group = \"id\"\n", "data.length: is missing; set length, the most rows of a series"},
        Case{csv + "length = 3\n", "data.sequences: is missing; set both"},
        Case{csv + "group = \"id\"\nlength = 3\nsequences = [\"t\"]\n",
             "data.group: is set together with sequences"},
        Case{csv + "group = \"id\"\nlength = 3\nscale = \"federation\"\n",
             "data.scale: is \"federation\", which would count the zeros behind the series"},
        Case{csv + "length = 3\nsequences = [\"t\"]\nscale = \"standard\"\n",
             "data.scale: is \"standard\", which does not apply to sequences"},
        Case{csv + "length = 3\nsequences = [\"t\", \"t\"]\n", "data.sequences: names \"t\" twice"},
        Case{csv + "plugin = \"p\"\n", "data.plugin: does not apply to data of kind \"csv\""},
        Case{csv + "columns = [\"a\", \"a\"]\n", "data.columns: names \"a\" twice"},
        Case{csv + "classes = [\"a\"]\ntarget = \"real\"\n",
             "data.classes: is set together with target = \"real\""}})
    EXPECT_THAT(refusal(lines), HasSubstr(error)) << lines;
}

}  // namespace
}  // namespace hansa::learning
