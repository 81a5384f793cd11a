// Kind "csv": what it reads, and its errors for about twenty invalid files.
#include <cmath>

#include <gmock/gmock.h>

#include "learning/data/data_source.h"
#include "tests/data/data_files.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using testing::all_of;
using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pointwise;
using testing::read_inputs;
using testing::read_targets;
using testing::TemporaryFolder;

class CsvSource : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.kind = "csv";
    config_.file = folder_ / "a.csv";
    config_.label = "y";
  }
  void write(const std::string& text) { testing::write_text(config_.file, text); }
  std::unique_ptr<DataSource> open() {
    auto source = open_data_source(config_);
    if (!source) throw std::runtime_error(source.error().text());
    return *std::move(source);
  }
  // The error as in a log, "FILE:LINE...", without the folder.
  std::string refusal() {
    const auto source = open_data_source(config_);
    if (source) return "was opened";
    EXPECT_FALSE(source.error().hint.empty()) << source.error().text();
    std::string text = source.error().text();
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    const std::string folder = config_.file.parent_path().string() + "/";
    const std::size_t at = text.find(folder);
    return at == std::string::npos ? text : text.erase(at, folder.size());
  }
  std::vector<float> inputs() {
    const auto source = open();
    return read_inputs(*source, all_of(*source));
  }

  TemporaryFolder folder_;
  DataConfig config_;
};

TEST_F(CsvSource, DescribesItsColumnsInTheModelsOrderWithTheirRangesBeforeScaling) {
  write("a, y ,b\n1,0,2.5\n-300,2,4\n7,1,\n");
  config_.missing = MissingValues::zero;
  config_.scale = Scaling::standard;
  DataDescription data = open()->description();
  EXPECT_THAT(data.columns, ElementsAre("a", "b"));
  EXPECT_EQ(data.label, "y");
  EXPECT_EQ(data.target, TargetType::classes);
  EXPECT_EQ(data.class_count, 3U);
  EXPECT_THAT(data.inputs[0].shape, ElementsAre(2));
  EXPECT_THAT(data.ranges, ElementsAre(ValueRange{-300, 7}, ValueRange{2.5, 4})) << "a missing value is none";
  config_.columns = {"b", "a"};
  data = open()->description();
  EXPECT_THAT(data.columns, ElementsAre("b", "a"));
  EXPECT_THAT(data.ranges, ElementsAre(ValueRange{2.5, 4}, ValueRange{-300, 7}));
}

TEST_F(CsvSource, InputsAreAllColumnsExceptTheLabelInTheFilesOrder) {
  write("a, y ,b\n1,0,2.5\n-3e2,2,+4\n");
  const auto source = open();
  EXPECT_EQ(source->example_count(), 2U);
  EXPECT_THAT(source->shape().inputs[0].shape, ElementsAre(2));
  EXPECT_EQ(source->shape().targets[0].class_count, 3);
  EXPECT_THAT(read_inputs(*source, all_of(*source)), ElementsAre(1, 2.5F, -300, 4));
  EXPECT_THAT(read_targets<std::int64_t>(*source, all_of(*source)), ElementsAre(0, 2));
}

TEST_F(CsvSource, GzippedFilesReadTheSame) {
  const std::string text = "a,y\n1,0\n2,1\n";
  testing::write_bytes(config_.file, testing::gzipped({text.begin(), text.end()}));
  EXPECT_THAT(inputs(), ElementsAre(1, 2));
}

TEST_F(CsvSource, ChosenColumnsInTheChosenOrder) {
  config_.columns = {"c", "a"};
  write("a,b,c,y\n1,x,3,0\n4,y,6,1\n");
  EXPECT_THAT(inputs(), ElementsAre(3, 1, 6, 4));
}

TEST_F(CsvSource, NamedClassesAreNumberedByTheirPositionInTheList) {
  config_.classes = {"benign", "malignant", "unsure"};
  write("a,y\n1,malignant\n2, benign \n");
  const auto source = open();
  EXPECT_THAT(read_targets<std::int64_t>(*source, all_of(*source)), ElementsAre(1, 0));
  EXPECT_EQ(source->shape().targets[0].class_count, 3)
      << "also if a client does not have examples of all classes";
}

TEST_F(CsvSource, IntegerClassesMayBeWrittenAsFloats) {
  write("a,y\n1,2.0\n");
  EXPECT_THAT(read_targets<std::int64_t>(*open(), {0}), ElementsAre(2));
}

TEST_F(CsvSource, RealTargets) {
  config_.target = TargetKind::real;
  write("a,y\n1,-0.25\n2,1e3\n");
  const auto source = open();
  EXPECT_EQ(source->shape().targets[0].type, ElementType::float32);
  EXPECT_THAT(read_targets<float>(*source, all_of(*source)), ElementsAre(-0.25F, 1000));
}

TEST_F(CsvSource, MissingValuesAreSkippedOrReplaced) {
  const std::string text = "a,b,y\n1,10,0\n,20,1\n3,NA,0\n5,60,\n";
  write(text);
  config_.missing = MissingValues::skip;
  EXPECT_THAT(inputs(), ElementsAre(1, 10));
  write("a,b,y\n1,10,0\n,20,1\n3,NA,0\n5,60,1\n");
  config_.missing = MissingValues::zero;
  EXPECT_THAT(inputs(), ElementsAre(1, 10, 0, 20, 3, 0, 5, 60));
  config_.missing = MissingValues::mean;
  EXPECT_THAT(inputs(), ElementsAre(1, 10, 3, 20, 3, 30, 5, 60));
}

TEST_F(CsvSource, TheUsualWordsForAMissingValueAreKnownInAnyCaseAndOthersMayBeNamed) {
  config_.missing = MissingValues::zero;
  for (const char* word : {"-nan", "nan(ind)", "-nan(ind)", "1.#QNAN", "-1.#IND", "#N/A", "#DIV/0!", "<NA>",
                           "n/a", "Nan", "none", "NULL", "-", "--", "\\N", ".", "missing", "?", ""}) {
    write(std::string("a,y\n1,0\n") + word + ",1\n");
    EXPECT_THAT(inputs(), ElementsAre(1, 0)) << word;
  }
  write("a,y\n1,0\noffline,1\n-999,1\n");
  EXPECT_THAT(refusal(), HasSubstr("is \"offline\", which is not a number"));
  EXPECT_THAT(refusal(), HasSubstr("data.missing_words"));
  config_.missing_words = {"offline", "-999"};
  EXPECT_THAT(inputs(), ElementsAre(1, 0, 0));
}

TEST_F(CsvSource, NumbersHaveOneSignAndMayBeTooSmallToTell) {
  write(
      "a,y\n+5,0\n-.5,1\n1e-400,0\n-0.0000000000000000000000000000000000000000000000000001e-300,0\n1E3,1\n");
  EXPECT_THAT(inputs(), ElementsAre(5, -0.5F, 0, 0, 1000));
  for (const char* cell : {"+-5", "-+5", "--5", "1e400", "infinity", "0x10", "1_000", "1,5"}) {
    write(std::string("a,y\n\"") + cell + "\",0\n");
    EXPECT_THAT(refusal(), HasSubstr("which is not a")) << cell;
  }
}

TEST_F(CsvSource, AColumnWithoutANameOrWithARepeatedOneIsNoInputByItself) {
  write(",temp,y\n0,5,0\n1,6,1\n");
  EXPECT_THAT(refusal(),
              HasSubstr("a.csv:1: has no name for column 1, which would be an input; give it a name"));
  write("temp,y,\n5,0,\n6,1,\n");
  EXPECT_THAT(refusal(), HasSubstr("has no name for column 3"));
  write("temp,temp,y\n5,7,0\n6,8,1\n");
  EXPECT_THAT(refusal(), HasSubstr("a.csv:1: has 2 columns \"temp\"; give each column a different name"));
  write(",temp,y\n0,5,0\n1,6,1\n");
  config_.columns = {"temp"};
  EXPECT_THAT(inputs(), ElementsAre(5, 6)) << "data.columns says what is an input";
}

TEST_F(CsvSource, ClassesBelowZeroNeedAList) {
  write("a,y\n1,-1\n2,1\n");
  EXPECT_THAT(refusal(), HasSubstr("for classes such as -1 and 1 set data.classes = [\"-1\", \"1\"]"));
  config_.classes = {"-1", "1"};
  EXPECT_THAT(read_targets<std::int64_t>(*open(), {0, 1}), ElementsAre(0, 1));
}

TEST_F(CsvSource, AFileThatIsNoTextSaysWhatItIs) {
  using namespace std::string_literals;
  const std::string text = "temp,flow,y\n1,2,0\n3,4,1\n";
  std::string wide;
  for (const char c : text) wide += std::string{c, '\0'};
  for (const auto& [content, what] :
       {std::pair("PK\x03\x04\x14\0\0"s, "is a zip archive, or a workbook"),
        std::pair("\xFD"
                  "7zXZ\0"s,
                  "is an xz archive"),
        std::pair("PAR1\x15\x04"s, "is a Parquet file"), std::pair("\xFF\xFE" + wide, "is text in UTF-16"),
        std::pair(wide, "is text in UTF-16"),
        std::pair("<!DOCTYPE html><html>404</html>\n"s, "is a web page"),
        std::pair("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"s, "is a pointer of Git LFS"),
        std::pair("SQLite format 3\0"s, "is an SQLite database")}) {
    testing::write_bytes(config_.file, {content.begin(), content.end()});
    EXPECT_THAT(refusal(), HasSubstr("a.csv: "s + what)) << what;
  }
  std::string old = text;
  std::ranges::replace(old, '\n', '\r');
  write(old);
  EXPECT_THAT(refusal(), HasSubstr("ends its lines with CR alone"));
}

// As float32, seconds since 1970 are multiples of 128.
TEST_F(CsvSource, LargeValuesWithSmallDifferencesAreScaledInDouble) {
  write("a,y\n1700000001,0\n1700000002,1\n1700000003,0\n1700000004,1\n");
  config_.scale = Scaling::standard;
  const float step = 2.0F / std::sqrt(5.0F);
  EXPECT_THAT(
      inputs(),
      ElementsAre(::testing::FloatNear(-1.5F * step, 1e-6F), ::testing::FloatNear(-0.5F * step, 1e-6F),
                  ::testing::FloatNear(0.5F * step, 1e-6F), ::testing::FloatNear(1.5F * step, 1e-6F)));
}

TEST_F(CsvSource, StandardScaleGivesMeanZeroAndDeviationOne) {
  config_.scale = Scaling::standard;
  write("a,constant,y\n1,7,0\n2,7,0\n3,7,1\n");
  const auto expected = std::sqrt(1.5F);
  EXPECT_THAT(inputs(), Pointwise(FloatNear(1e-6F), std::vector<float>{-expected, 0, 0, 0, expected, 0}));
}

TEST_F(CsvSource, ExamplesMaxTakesTheFirst) {
  config_.examples_max = 1;
  write("a,y\n1,0\nbad row that is never read\n");
  EXPECT_EQ(open()->example_count(), 1U);
}

TEST_F(CsvSource, EveryErrorIsOneLineThatNamesTheLocation) {
  struct Case {
    const char* text;
    const char* error;
  };
  for (const auto& [text, error] : {
           Case{"", "a.csv: is empty"},
           Case{"a,y\n", "a.csv: holds no example"},
           Case{"a,yy\n1,2\n", "a.csv:1: has no column \"y\", which data.label names"},
           Case{"a;y\n1;2\n", "is data.delimiter right?"},
           Case{"y\n1\n", "a.csv:1: has no column other than the label"},
           Case{"a,y,y\n1,2,3\n", "a.csv:1: has 2 columns \"y\""},
           Case{"a,y\n1,0\n2\n", "a.csv:3: has 1 fields, but the header has 2"},
           Case{"a,y\n1,0,7\n", "a.csv:2: has 3 fields, but the header has 2"},
           Case{"a,y\nlow,0\n", "a.csv:2: column \"a\": is \"low\", which is not a number"},
           Case{"a,y\n,0\n", "a.csv:2: column \"a\": is missing"},
           Case{"a,y\nNaN,0\n", "a.csv:2: column \"a\": is \"NaN\", which means missing"},
           Case{"a,y\ninf,0\n", "a.csv:2: column \"a\": is \"inf\", which is not a number"},
           Case{"a,y\n1e39,0\n", "a.csv:2: column \"a\": is \"1e39\", which is not a finite float32"},
           Case{"a,y\n1,\n", "a.csv:2: column \"y\": is missing"},
           Case{"a,y\n1,B\n", "a.csv:2: column \"y\": is \"B\", which is not a number"},
           Case{"a,y\n1,-1\n", "a.csv:2: column \"y\": is \"-1\", but a class is a whole number from 0"},
           Case{"a,y\n1,0.5\n", "to predict a number, set data.target = \"real\""},
           Case{"a,y\n1,\"0\n", "a.csv:2: opens a quote that is never closed"},
           Case{"a,y\n\"1\"2,0\n", "a.csv:2: has text after a closing quote"},
       }) {
    write(text);
    EXPECT_THAT(refusal(), HasSubstr(error)) << text;
  }
}

TEST_F(CsvSource, ConfiguredColumnsAreCheckedAgainstTheFile) {
  write("age,pressure,y\n1,2,B\n");
  config_.columns = {"presure"};
  EXPECT_THAT(refusal(),
              HasSubstr("a.csv:1: has no column \"presure\", which data.columns names; did you mean "
                        "\"pressure\"?"));
  config_.columns = {};
  config_.classes = {"b", "m"};
  EXPECT_THAT(refusal(), HasSubstr("a.csv:2: column \"y\": is \"B\", which is not in data.classes"));
  config_.file = folder_ / "none.csv";
  EXPECT_THAT(refusal(), HasSubstr("none.csv: does not exist; set data.file"));
  config_.file = folder_ / "";
  EXPECT_THAT(refusal(), HasSubstr("is not a file"));
}

TEST_F(CsvSource, LinesAboveTheHeaderAreRecognised) {
  write("Export of 2026-01-02\n\npump 7,,\na,b, y\n1,2,0\n");
  EXPECT_THAT(refusal(), HasSubstr("the names of the columns are in line 4: remove the lines above it"));
  write("a,b,c\n1,2,0\n");
  EXPECT_THAT(refusal(), Not(HasSubstr("remove the lines")));
}

TEST_F(CsvSource, ATruncatedGzipFileIsReportedAsSuch) {
  std::string text = "a,y\n";
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * 7919 % 10007) + ",1\n";
  auto bytes = testing::gzipped({text.begin(), text.end()});
  bytes.resize(bytes.size() / 2);
  testing::write_bytes(config_.file, bytes);
  EXPECT_THAT(refusal(), HasSubstr("a.csv: is a truncated gzip file"));
}

}  // namespace
}  // namespace hansa::learning
