#include <gmock/gmock.h>

#include "learning/data/data_source.h"
#include "tests/data/data_files.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::read_inputs;
using testing::read_targets;
using testing::TemporaryFolder;

class WindowsSource : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.kind = "windows";
    config_.file = folder_ / "series.csv";
    config_.label = "y";
    config_.window = 3;
  }
  std::unique_ptr<DataSource> open(const std::string& text) {
    testing::write_text(config_.file, text);
    auto source = open_data_source(config_);
    if (!source) throw std::runtime_error(source.error().text());
    return *std::move(source);
  }
  static std::vector<std::int64_t> labels_of(const DataSource& source) {
    return read_targets<std::int64_t>(source, testing::all_of(source));
  }
  // Rows `first` to first + count - 1: a = row, b = 100 + row, y = row.
  static std::string ramp(int count, const std::string& group = "", int first = 0) {
    std::string out =
        group.empty() || first == 0 ? std::string("a,b,y") + (group.empty() ? "\n" : ",m\n") : "";
    for (int i = first; i < first + count; ++i)
      out += std::to_string(i) + "," + std::to_string(100 + i) + "," + std::to_string(i) +
             (group.empty() ? "" : "," + group) + "\n";
    return out;
  }

  TemporaryFolder folder_;
  DataConfig config_;
};

TEST_F(WindowsSource, AnInputIsColumnsByRowsAndItsLabelIsThatOfTheLastRow) {
  const auto source = open(ramp(5));
  EXPECT_THAT(source->shape().inputs[0].shape, ElementsAre(2, 3));
  EXPECT_EQ(source->example_count(), 3U);
  EXPECT_THAT(read_inputs(*source, {1}), ElementsAre(1, 2, 3, 101, 102, 103));
  EXPECT_THAT(labels_of(*source), ElementsAre(2, 3, 4));
}

TEST_F(WindowsSource, TheHorizonSelectsTheLabelOfALaterRow) {
  config_.horizon = 2;
  const auto source = open(ramp(6));
  EXPECT_THAT(labels_of(*source), ElementsAre(4, 5));
}

TEST_F(WindowsSource, RealTargetsForecast) {
  config_.horizon = 1;
  config_.target = TargetKind::real;
  const auto source = open(ramp(5));
  EXPECT_THAT(read_targets<float>(*source, {0, 1}), ElementsAre(3, 4));
}

TEST_F(WindowsSource, StrideAndExamplesMax) {
  config_.stride = 2;
  EXPECT_THAT(labels_of(*open(ramp(8))), ElementsAre(2, 4, 6));
  config_.examples_max = 2;
  EXPECT_THAT(labels_of(*open(ramp(8))), ElementsAre(2, 4));
}

TEST_F(WindowsSource, WindowsStayWithinTheirSeriesEvenIfRowsInterleave) {
  config_.group = "m";
  std::string text = "a,b,y,m\n";
  // The rows of two machines alternate: 0 2 4 6 and 1 3 5 7.
  for (int i = 0; i < 8; ++i)
    text += std::to_string(i) + ",0," + std::to_string(i) + "," + (i % 2 == 0 ? "left" : "right") + "\n";
  const auto source = open(text);
  EXPECT_THAT(source->shape().inputs[0].shape, ElementsAre(2, 3)) << "the group is not an input";
  EXPECT_THAT(labels_of(*source), ElementsAre(4, 6, 5, 7));
  EXPECT_THAT(read_inputs(*source, {2}), ElementsAre(1, 3, 5, 0, 0, 0));
}

TEST_F(WindowsSource, NoWindowSpansASkippedRow) {
  config_.missing = MissingValues::skip;
  const auto source = open("a,y\n0,0\n1,1\n2,2\n,3\n4,4\n5,5\n6,6\n7,7\n");
  EXPECT_THAT(labels_of(*source), ElementsAre(2, 6, 7));
}

TEST_F(WindowsSource, ASeriesThatIsTooShortIsRefused) {
  testing::write_text(config_.file, ramp(2));
  const auto source = open_data_source(config_);
  ASSERT_FALSE(source);
  EXPECT_THAT(
      source.error().text(),
      HasSubstr("series.csv: has 2 rows, but no 3 consecutive rows of one series, which a window with "
                "its label needs; lower data.window"));
}

}  // namespace
}  // namespace hansa::learning
