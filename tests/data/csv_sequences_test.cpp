// Kind "csv" with examples of variable length: lists in fields, and series of rows.
#include <cmath>

#include <gmock/gmock.h>

#include "learning/data/data_source.h"
#include "tests/data/data_files.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using testing::all_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::read_targets;

class CsvSequences : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.kind = "csv";
    config_.file = folder_ / "a.csv";
    config_.label = "ill";
    config_.length = 4;
  }
  void write(const std::string& text) { testing::write_text(config_.file, text); }
  std::unique_ptr<DataSource> open() {
    auto source = open_data_source(config_);
    if (!source) throw std::runtime_error(source.error().text());
    return *std::move(source);
  }
  Error error() {
    const auto source = open_data_source(config_);
    if (source) return {ErrorCode::internal, "", "was opened", ""};
    EXPECT_FALSE(source.error().hint.empty()) << source.error().text();
    EXPECT_EQ(source.error().text().find('\n'), std::string::npos) << source.error().text();
    return source.error();
  }
  // "a.csv:3: column "t": is ..."
  std::string refusal() {
    std::string text = error().text();
    const std::string folder = folder_.path().string() + "/";
    const std::size_t at = text.find(folder);
    return at == std::string::npos ? text : text.erase(at, folder.size());
  }
  template <class T>
  std::vector<T> tensor(const DataSource& source, std::size_t number) {
    return read_tensor<T>(source, number, all_of(source)).value();
  }

  testing::TemporaryFolder folder_;
  DataConfig config_;
};

class CsvLists : public CsvSequences {
 protected:
  void SetUp() override {
    CsvSequences::SetUp();
    config_.sequences = {"t"};
  }
};

TEST_F(CsvLists, ArePaddedAndTheirLengthsAreInputs) {
  write("age,t,ill\n5,1 5 9,0\n7,\"[-2, 70000000000]\",1\n9, { 3;4 | 5 6 } ,1\n");
  const auto source = open();
  EXPECT_EQ(text_of(source->shape().inputs),
            "`x`: float32 [1], `t`: int64 [4], `t_length`: int64 [], `t_mask`: boolean [4]");
  EXPECT_THAT(tensor<float>(*source, 0), ElementsAre(5, 7, 9));
  EXPECT_THAT(tensor<std::int64_t>(*source, 1), ElementsAre(1, 5, 9, 0, -2, 70000000000, 0, 0, 3, 4, 5, 6));
  EXPECT_THAT(tensor<std::int64_t>(*source, 2), ElementsAre(3, 2, 4));
  EXPECT_THAT(tensor<std::uint8_t>(*source, 3), ElementsAre(1, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 1));
  EXPECT_THAT(read_targets<std::int64_t>(*source, all_of(*source)), ElementsAre(0, 1, 1));
  const DataDescription data = source->description();
  EXPECT_THAT(data.columns, IsEmpty());
  EXPECT_EQ(data.label, "ill");
}

TEST_F(CsvLists, AreTheOnlyInputsOfAFileWithoutOtherColumns) {
  config_.sequences = {"u", "t"};
  config_.scale = Scaling::standard;  // of nothing
  write("t,ill,u\n1.5,0,7\n\"2\n3\",1,8 9\n");
  const auto source = open();
  EXPECT_EQ(
      text_of(source->shape().inputs),
      "`t`: float32 [4], `t_length`: int64 [], `t_mask`: boolean [4], `u`: int64 [4], `u_length`: int64 "
      "[], `u_mask`: boolean [4]");
  EXPECT_THAT(tensor<float>(*source, 0), ElementsAre(1.5F, 0, 0, 0, 2, 3, 0, 0));
  EXPECT_THAT(tensor<std::int64_t>(*source, 4), ElementsAre(1, 2));
}

TEST_F(CsvLists, ChosenColumnsInTheChosenOrder) {
  config_.columns = {"b", "t", "a"};
  write("a,t,b,note,ill\n1,4 5,2,x,0\n");
  const auto source = open();
  EXPECT_THAT(tensor<float>(*source, 0), ElementsAre(2, 1));
  EXPECT_THAT(tensor<std::int64_t>(*source, 1), ElementsAre(4, 5, 0, 0));
}

TEST_F(CsvLists, ARowWithoutAListIsRefusedOrSkipped) {
  write("a,t,ill\n1,7,0\n2,,1\n3,NA,1\n4,8,1\n");
  EXPECT_THAT(refusal(),
              HasSubstr("a.csv:3: column \"t\": is missing; fill it in, or set data.missing = \"skip\""));
  config_.missing = MissingValues::zero;
  EXPECT_THAT(refusal(), HasSubstr("a.csv:3: column \"t\": is missing"));
  config_.missing = MissingValues::skip;
  EXPECT_THAT(tensor<float>(*open(), 0), ElementsAre(1, 4));
}

TEST_F(CsvLists, EveryErrorNamesLineAndColumn) {
  struct Case {
    std::string cell, problem;
  };
  for (const auto& [cell, problem] :
       {Case{"1 2 3 4 5", "has 5 values, and data.length is 4; raise data.length"},
        Case{"1 two 3", "has \"two\" as value 2 of the list, which is not a number"},
        Case{"1 nan", "has \"nan\" as value 2 of the list, which is not a number"},
        Case{"1 ... 9", "has \"...\" as value 2 of the list"},
        Case{"1e39", "has \"1e39\" as value 1 of the list, which is not a finite float32"},
        Case{"\"1,,2\"", "has no number as value 2 of the list"}, Case{"\"1,2,\"", "ends with a separator"},
        Case{"[]", "is a list without a value"}, Case{"[ ]", "is a list without a value"},
        Case{"[1 2", "has a bracket without the other one"},
        Case{"1 2]", "has a bracket without the other one"}, Case{"[", "has a bracket without the other one"},
        Case{"\"[[1, 2], [3, 4]]\"", "has a list in a list; use kind \"jsonl\""},
        Case{"0.5 16777217", "has the integer 16777217, which float32 cannot hold exactly"}}) {
    write("a,t,ill\n1,3,0\n2," + cell + ",1\n");
    EXPECT_THAT(refusal(), HasSubstr("a.csv:3: column \"t\": " + problem)) << cell;
    const Reason reason = error().reason;
    ASSERT_EQ(reason.numbers.size(), 2U) << cell;
    EXPECT_EQ(reason.numbers[0].value, 3U);
    EXPECT_EQ(reason.numbers[1].value, 2U);
  }
  write("a,t,ill\n1,16777217,0\n2,0.5,1\n");
  EXPECT_THAT(refusal(),
              HasSubstr("a.csv:3: column \"t\": has a fraction, and an earlier line the integer 16777217"));
}

TEST_F(CsvLists, NamesMustBeThoseOfInputs) {
  write("a,tokens,ill\n1,3,0\n");
  config_.sequences = {"token"};
  EXPECT_THAT(
      refusal(),
      HasSubstr("a.csv:1: has no column \"token\", which data.sequences names; did you mean \"tokens\"?"));
  config_.sequences = {"t"};
  write("a,t,t_mask,ill\n1,3,1,0\n");
  EXPECT_THAT(refusal(), HasSubstr("a.csv:1: column \"t\": is a sequence, and there is a column \"t_mask\""));
  write("a,t,ill\n1,3,0\n");
  config_.columns = {"a"};
  EXPECT_THAT(refusal(), HasSubstr("data.sequences: names \"t\", which is no input; add it to data.columns"));
  config_.columns = {};
  config_.sequences = {"ill"};
  EXPECT_THAT(refusal(), HasSubstr("data.sequences: names \"ill\", which is no input; a label is one value"));
  config_.sequences = {"x"};
  write("a,x,ill\n1,3,0\n");
  EXPECT_THAT(refusal(),
              HasSubstr("a.csv:1: column \"x\": is a sequence with the name of the input that the numbers"));
  write("x,ill\n3 4,0\n");
  EXPECT_THAT(tensor<std::int64_t>(*open(), 0), ElementsAre(3, 4, 0, 0));
}

class CsvSeries : public CsvSequences {
 protected:
  void SetUp() override {
    CsvSequences::SetUp();
    config_.group = "id";
  }
};

TEST_F(CsvSeries, RowsOfAnIdAreOneExample) {
  write("id,a,b,ill\np,1,10,1\nq,5,50,0\np,2,20,1\np,3,30,1\nr,7,70,0\nq,6,60,0\n");
  const auto source = open();
  EXPECT_EQ(source->example_count(), 3U);
  EXPECT_EQ(text_of(source->shape().inputs),
            "`x`: float32 [4, 2], `x_length`: int64 [], `x_mask`: boolean [4]");
  EXPECT_THAT(tensor<float>(*source, 0), ElementsAre(1, 10, 2, 20, 3, 30, 0, 0,  //
                                                     5, 50, 6, 60, 0, 0, 0, 0,  //
                                                     7, 70, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(tensor<std::int64_t>(*source, 1), ElementsAre(3, 2, 1));
  EXPECT_THAT(tensor<std::uint8_t>(*source, 2), ElementsAre(1, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0));
  EXPECT_THAT(read_targets<std::int64_t>(*source, all_of(*source)), ElementsAre(1, 0, 0));
  const DataDescription data = source->description();
  EXPECT_THAT(data.columns, ElementsAre("a", "b"));
  EXPECT_THAT(data.ranges, ElementsAre(ValueRange{1, 7}, ValueRange{10, 70}));
}

TEST_F(CsvSeries, ExamplesMaxTakesTheFirstSeriesWithAllTheirRows) {
  config_.examples_max = 2;
  config_.target = TargetKind::real;
  write("id,a,ill\np,1,0.5\nq,5,1\nr,9,2\np,2,0.5\nr,8,3\n");
  const auto source = open();
  EXPECT_THAT(tensor<float>(*source, 0), ElementsAre(1, 2, 0, 0, 5, 0, 0, 0));
  EXPECT_THAT(read_targets<float>(*source, all_of(*source)), ElementsAre(0.5F, 1));
}

TEST_F(CsvSeries, ScalingAndMissingValuesCountTheRowsAndNotThePadding) {
  write("id,a,ill\np,1,0\np,,0\np,5,0\nq,3,1\n");
  config_.missing = MissingValues::mean;
  config_.scale = Scaling::standard;
  const float one = std::sqrt(2.0F);  // the deviation of 1, 3, 5, 3
  EXPECT_THAT(tensor<float>(*open(), 0),
              ::testing::Pointwise(::testing::FloatNear(1e-6F),
                                   std::vector<float>{-2 / one, 0, 2 / one, 0, 0, 0, 0, 0}));
  config_.missing = MissingValues::skip;
  config_.scale = Scaling::none;
  EXPECT_THAT(tensor<float>(*open(), 0), ElementsAre(1, 5, 0, 0, 3, 0, 0, 0));
}

TEST_F(CsvSeries, RowsThatFitNoSeriesAreRefused) {
  const std::string start = "id,a,ill\np,1,0\nq,1,1\np,2,0\n";
  write(start + "p,3,1\n");
  EXPECT_THAT(
      refusal(),
      HasSubstr("a.csv:5: column \"ill\": is not the label of line 2, which has the same \"id\", \"p\""));
  write(start + "p,3,0\np,4,0\np,5,0\n");
  EXPECT_THAT(refusal(),
              HasSubstr("a.csv:7: is row 5 of the series \"p\", and data.length is 4; raise data.length"));
  write(start + ",3,0\n");
  EXPECT_THAT(refusal(), HasSubstr("a.csv:5: column \"id\": is empty"));
  EXPECT_EQ(error().reason.code, ReasonCode::value_missing);
}

}  // namespace
}  // namespace hansa::learning
