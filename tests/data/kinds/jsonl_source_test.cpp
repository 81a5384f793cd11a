// Kind "jsonl": what it reads, and its errors.
#include <gmock/gmock.h>

#include "tests/data/data_files.h"
#include "tests/data/kinds/open_kind.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using testing::all_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::open_kind;
using testing::read_inputs;
using testing::read_targets;

class JsonlSource : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.kind = "jsonl";
    config_.file = folder_ / "a.jsonl";
    config_.label = "ill";
  }
  void write(const std::string& text) { testing::write_text(config_.file, text); }
  std::string refusal() { return testing::refusal_of(config_, folder_.path()); }
  std::vector<std::int64_t> labels() {
    const auto source = open_kind(config_);
    return read_targets<std::int64_t>(*source, all_of(*source));
  }

  testing::TemporaryFolder folder_;
  DataConfig config_;
};

TEST_F(JsonlSource, NumbersFormOneInputInTheOrderOfTheFirstLine) {
  write("{\"b\": 1, \"ill\": 0, \"a\": 2.5}\n\n{\"a\": -3e2, \"b\": true, \"ill\": 2}\r\n");
  const auto source = open_kind(config_);
  EXPECT_EQ(text_of(source->shape().inputs), "`x`: float32 [2]");
  EXPECT_EQ(source->shape().targets[0], class_target(3));
  EXPECT_THAT(read_inputs(*source, all_of(*source)), ElementsAre(1, 2.5F, 1, -300));
  EXPECT_THAT(labels(), ElementsAre(0, 2));
  const DataDescription data = source->description();
  EXPECT_THAT(data.columns, ElementsAre("b", "a"));
  EXPECT_EQ(data.label, "ill");
  EXPECT_THAT(data.ranges, ElementsAre(ValueRange{1, 1}, ValueRange{-300, 2.5}));
}

TEST_F(JsonlSource, ChosenColumnsInTheChosenOrder) {
  write("{\"a\": 1, \"note\": \"x\", \"b\": 2, \"ill\": 0}\n{\"ill\": 1, \"b\": 4, \"a\": 3, \"new\": {}}\n");
  config_.columns = {"b", "a"};
  const auto source = open_kind(config_);
  EXPECT_THAT(read_inputs(*source, all_of(*source)), ElementsAre(2, 1, 4, 3));
}

TEST_F(JsonlSource, AnArrayIsAnInputWithTheNameOfItsColumn) {
  write(
      "{\"age\": 5, \"tokens\": [1, 9007199254740993], \"image\": [[0.5, 1], [2, 3]], \"ill\": 0, \"bmi\": "
      "7}\n"
      "{\"age\": 6, \"tokens\": [3, 4], \"image\": [[4, 5], [6, 7]], \"ill\": 1, \"bmi\": 8}\n");
  const auto source = open_kind(config_);
  EXPECT_EQ(text_of(source->shape().inputs),
            "`x`: float32 [2], `tokens`: int64 [2], `image`: float32 [2, 2]");
  EXPECT_THAT(*read_tensor<float>(*source, 0, testing::Indices{0, 1}), ElementsAre(5, 7, 6, 8));
  EXPECT_THAT(*read_tensor<std::int64_t>(*source, 1, testing::Indices{1, 0}),
              ElementsAre(3, 4, 1, 9007199254740993));
  EXPECT_THAT(*read_tensor<float>(*source, 2, testing::Indices{0, 1}),
              ElementsAre(0.5F, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(source->description().columns, IsEmpty());
  EXPECT_EQ(source->description().label, "ill");
}

TEST_F(JsonlSource, OneValueThatIsNoIntegerMakesAnArrayFloat) {
  write("{\"a\": [1, 2], \"ill\": 0}\n{\"a\": [3, 4.5], \"ill\": 0}\n{\"a\": [5, 6], \"ill\": 0}\n");
  const auto source = open_kind(config_);
  EXPECT_EQ(text_of(source->shape().inputs), "`a`: float32 [2]");
  EXPECT_THAT(read_inputs(*source, all_of(*source)), ElementsAre(1, 2, 3, 4.5F, 5, 6));
}

// Integers up to 2^24 and multiples of a power of two are float32; 16777217 is none.
TEST_F(JsonlSource, AnIntegerThatFloatCannotHoldIsRefusedInAnArrayOfFloats) {
  write("{\"a\": [16777217, 2], \"ill\": 0}\n{\"a\": [3, -9223372036854775807], \"ill\": 0}\n");
  EXPECT_THAT(read_inputs<std::int64_t>(*open_kind(config_), {0, 1}),
              ElementsAre(16'777'217, 2, 3, -9'223'372'036'854'775'807));
  for (const char* text : {"{\"a\": [16777217, 2], \"ill\": 0}\n{\"a\": [3, 4.5], \"ill\": 0}\n",
                           "{\"a\": [1, 2.5], \"ill\": 0}\n{\"a\": [16777217, 2], \"ill\": 0}\n",
                           "{\"a\": [1, 2], \"ill\": 0}\n{\"a\": [16777217, 0.5], \"ill\": 0}\n"}) {
    write(text);
    EXPECT_THAT(refusal(),
                AllOf(HasSubstr("a.jsonl:2: column \"a\": has"),
                      HasSubstr("the integer 16777217, which float32 cannot hold exactly; write all "
                                "values of the column as integers, or this one with a fraction "
                                "(16777217.0) if it may be rounded")))
        << text;
  }
  write("{\"a\": [16777216, -1099511627776], \"ill\": 0}\n{\"a\": [16777217.0, 0.5], \"ill\": 0}\n");
  EXPECT_THAT(read_inputs(*open_kind(config_), {0, 1}),
              ElementsAre(16'777'216.0F, -1'099'511'627'776.0F, 16'777'216.0F, 0.5F));
}

TEST_F(JsonlSource, LabelsAreWordsNumbersOrBooleans) {
  write("{\"a\": 1, \"ill\": \"yes\"}\n{\"a\": 1, \"ill\": \"no\"}\n");
  config_.classes = {"no", "yes", "unsure"};
  EXPECT_THAT(labels(), ElementsAre(1, 0));
  EXPECT_EQ(open_kind(config_)->shape().targets[0].class_count, 3);
  write("{\"a\": 1, \"ill\": true}\n{\"a\": 1, \"ill\": false}\n");
  config_.classes = {"true", "false"};
  EXPECT_THAT(labels(), ElementsAre(0, 1));
  config_.classes = {};
  EXPECT_THAT(labels(), ElementsAre(1, 0));
  write("{\"a\": 1, \"ill\": 7}\n{\"a\": 1, \"ill\": -1}\n");
  config_.classes = {"-1", "7"};
  EXPECT_THAT(labels(), ElementsAre(1, 0));
}

TEST_F(JsonlSource, RealTargets) {
  write("{\"a\": 1, \"ill\": -0.25}\n{\"a\": 1, \"ill\": 1e3}\n");
  config_.target = TargetKind::real;
  const auto source = open_kind(config_);
  EXPECT_EQ(source->shape().targets[0], real_target());
  EXPECT_THAT(read_targets<float>(*source, {0, 1}), ElementsAre(-0.25F, 1000));
}

TEST_F(JsonlSource, GzippedFilesReadTheSameAndALastLineNeedsNoNewline) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "{\"a\": " + std::to_string(i) + ", \"ill\": 1}\n";
  text.pop_back();
  testing::write_bytes(config_.file, testing::gzipped({text.begin(), text.end()}));
  const auto source = open_kind(config_);
  ASSERT_EQ(source->example_count(), 20'000U);
  EXPECT_THAT(read_inputs(*source, {0, 12'345, 19'999}), ElementsAre(0, 12'345, 19'999));
}

TEST_F(JsonlSource, ExamplesMaxTakesTheFirst) {
  config_.examples_max = 1;
  write("{\"a\": 1, \"ill\": 0}\nbad line that is never read\n");
  EXPECT_EQ(open_kind(config_)->example_count(), 1U);
}

TEST_F(JsonlSource, EveryErrorIsOneLineThatNamesTheLocation) {
  struct Case {
    const char* text;
    const char* error;
    ReasonCode reason;
  };
  for (const auto& [text, error, reason] : {
           Case{"", "a.jsonl: is empty", ReasonCode::too_few_examples},
           Case{"\n \n", "a.jsonl: is empty", ReasonCode::too_few_examples},
           Case{"[1]\n", "a.jsonl:1: is not a JSON object", ReasonCode::data_damaged},
           Case{"{\"a\": 1, \"ill\": 0}\n\n{\"a\": 1, \"ill\"\n", "a.jsonl:3: is not JSON from character 15",
                ReasonCode::data_damaged},
           Case{"{\"a\": 1, \"ill\": 0}\n{\"a\": NaN, \"ill\": 0}\n", "a.jsonl:2: has NaN or Infinity",
                ReasonCode::value_invalid},
           Case{"{\"a\": 1, \"il\": 0}\n",
                "a.jsonl:1: has no column \"ill\", which data.label names; did you mean",
                ReasonCode::label_missing},
           Case{"{\"ill\": 0}\n", "a.jsonl:1: has no column other than the label",
                ReasonCode::column_missing},
           Case{"{\"a\": 1, \"ill\": 0}\n{\"b\": 1, \"ill\": 0}\n",
                "a.jsonl:2: has the column \"b\", which the first", ReasonCode::column_missing},
           Case{"{\"a\": 1, \"ill\": 0}\n{\"ill\": 0}\n", "a.jsonl:2: column \"a\": is not there; fill it in",
                ReasonCode::value_missing},
           Case{"{\"a\": 1, \"ill\": 0}\n{\"a\": 1}\n", "a.jsonl:2: column \"ill\": is not there",
                ReasonCode::value_missing},
           Case{"{\"a\": null, \"ill\": 0}\n", "a.jsonl:1: column \"a\": is null", ReasonCode::value_missing},
           Case{"{\"a\": 1, \"ill\": null}\n", "a.jsonl:1: column \"ill\": is null",
                ReasonCode::value_missing},
           Case{"{\"a\": \"low\", \"ill\": 0}\n",
                "a.jsonl:1: column \"a\": is the text \"low\", which no input takes",
                ReasonCode::value_invalid},
           Case{"{\"a\": 1e39, \"ill\": 0}\n",
                "a.jsonl:1: column \"a\": is 1e39, which is not a finite float32", ReasonCode::value_invalid},
           Case{"{\"a\": [1e39], \"ill\": 0}\n", "column \"a\": has a number, which is not a finite float32",
                ReasonCode::value_invalid},
           Case{"{\"a\": 1, \"ill\": \"B\"}\n",
                "a.jsonl:1: column \"ill\": is \"B\", which is not a number; list",
                ReasonCode::class_unknown},
           Case{"{\"a\": 1, \"ill\": 0.5}\n", "to predict a number, set data.target = \"real\"",
                ReasonCode::class_unknown},
           Case{"{\"a\": 1, \"ill\": [0]}\n", "column \"ill\": is an array, but a label is one value",
                ReasonCode::value_invalid},
           Case{"{\"a\": [1, 2], \"ill\": 0}\n{\"a\": [1, 2, 3], \"ill\": 0}\n",
                "a.jsonl:2: column \"a\": has the shape [3], but [2] in the first line",
                ReasonCode::value_invalid},
           Case{"{\"a\": [1], \"ill\": 0}\n{\"a\": 1, \"ill\": 0}\n",
                "a.jsonl:2: column \"a\": is no array, but one in the first line", ReasonCode::value_invalid},
           Case{"{\"a\": 1, \"ill\": 0}\n{\"a\": [1], \"ill\": 0}\n",
                "a.jsonl:2: column \"a\": is an array, but a number in the first line",
                ReasonCode::value_invalid},
           Case{"{\"a\": [1, [2]], \"ill\": 0}\n", "a.jsonl:1: column \"a\": is an array whose parts",
                ReasonCode::value_invalid},
           Case{"{\"x\": [1], \"b\": 1, \"ill\": 0}\n",
                "a.jsonl:1: column \"x\": is an array with the name of the input", ReasonCode::value_invalid},
           Case{"{\"y\": [1], \"ill\": 0}\n", "column \"y\": is an array with the name of the target",
                ReasonCode::value_invalid},
       }) {
    write(text);
    EXPECT_THAT(refusal(), HasSubstr(error)) << text;
    EXPECT_EQ(testing::reason_of(config_).code, reason) << text;
  }
}

TEST_F(JsonlSource, SequencesArePaddedAndTheirLengthsAreInputs) {
  write("{\"t\": [7, 8], \"a\": [1, 2], \"ill\": 0}\n{\"t\": [9], \"a\": [3, 4], \"ill\": 1}\n");
  config_.sequences = {"t"};
  config_.length = 3;
  const auto source = open_kind(config_);
  EXPECT_EQ(text_of(source->shape().inputs),
            "`t`: int64 [3], `t_length`: int64 [], `t_mask`: boolean [3], `a`: int64 [2]");
  const auto tensor = [&]<class T>(std::size_t t, T) {
    return read_tensor<T>(*source, t, all_of(*source)).value();
  };
  EXPECT_THAT(tensor(0, std::int64_t{}), ElementsAre(7, 8, 0, 9, 0, 0));
  EXPECT_THAT(tensor(1, std::int64_t{}), ElementsAre(2, 1));
  EXPECT_THAT(tensor(2, std::uint8_t{}), ElementsAre(1, 1, 0, 1, 0, 0));
  EXPECT_THAT(tensor(3, std::int64_t{}), ElementsAre(1, 2, 3, 4));
  write("{\"t\": [[1, 2]], \"ill\": 0}\n{\"t\": [[3, 4], [5.5, 6]], \"ill\": 1}\n");
  EXPECT_THAT(read_inputs(*open_kind(config_), {0, 1}), ElementsAre(1, 2, 0, 0, 0, 0, 3, 4, 5.5F, 6, 0, 0));
}

TEST_F(JsonlSource, SequencesThatDoNotFitAreRefused) {
  config_.sequences = {"t"};
  config_.length = 2;
  struct Case {
    const char* text;
    const char* error;
  };
  for (const auto& [text, error] :
       {Case{"{\"t\": [1], \"ill\": 0}\n{\"t\": [1, 2, 3], \"ill\": 0}\n",
             "a.jsonl:2: column \"t\": has 3 values, and data.length is 2; raise data.length on all clients"},
        Case{"{\"t\": [[1]], \"ill\": 0}\n{\"t\": [[1, 2]], \"ill\": 0}\n",
             "has the shape [1, 2], but only the first size may differ"},
        Case{"{\"t\": [[1]], \"ill\": 0}\n{\"t\": [1], \"ill\": 0}\n",
             "has the shape [1], but only the first size may differ"},
        Case{"{\"t\": 1, \"ill\": 0}\n", "a.jsonl:1: has no array \"t\", which data.sequences names"},
        Case{"{\"t\": [1], \"t_mask\": [1], \"ill\": 0}\n",
             "is a sequence, and there is a column \"t_mask\", which is the name of an input"},
        Case{"{\"t\": [1], \"a\": [1], \"ill\": 0}\n{\"t\": [1], \"a\": [1, 2], \"ill\": 0}\n",
             "has the shape [2], but [1] in the first line; correct the line; if lengths differ, name the "
             "column in data.sequences"}}) {
    write(text);
    EXPECT_THAT(refusal(), HasSubstr(error)) << text;
  }
}

TEST_F(JsonlSource, ReasonsHavePositions) {
  write("{\"a\": 1, \"b\": 1, \"ill\": 0}\n{\"a\": 1, \"b\": null, \"ill\": 0}\n");
  const Reason reason = testing::reason_of(config_);
  EXPECT_EQ(reason.number(Quantity::line), 2U);
  EXPECT_EQ(reason.number(Quantity::column), 2U);
}

TEST_F(JsonlSource, ConfiguredColumnsAreCheckedAgainstTheFirstLine) {
  write("{\"age\": 1, \"pressure\": 2, \"ill\": 0}\n");
  config_.columns = {"age", "presure"};
  EXPECT_THAT(refusal(),
              HasSubstr("a.jsonl:1: has no column \"presure\", which data.columns names; did you mean "
                        "\"pressure\"?"));
  EXPECT_EQ(testing::reason_of(config_).number(Quantity::column), 2U);
  config_.columns = {"age", "ill"};
  EXPECT_THAT(refusal(), HasSubstr("data.columns: names \"ill\", which is the label"));
  config_.file = folder_ / "none.jsonl";
  EXPECT_THAT(refusal(), HasSubstr("none.jsonl: does not exist; set data.file"));
}

TEST_F(JsonlSource, ALineWithoutEndIsRefused) {
  std::string text = "{\"a\": \"" + std::string(17 << 20, 'a');
  testing::write_bytes(config_.file, testing::gzipped({text.begin(), text.end()}));
  EXPECT_THAT(refusal(), HasSubstr("a.jsonl:1: has more than 16 MiB"));
}

}  // namespace
}  // namespace hansa::learning
