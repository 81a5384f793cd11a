// Columns of float32 inputs: which there are, their sums, and scaling by statistics.
#include "learning/data/scaled_source.h"

#include <gmock/gmock.h>

#include "learning/data/column_sums.h"
#include "learning/data/dense_source.h"
#include "learning/data/float_columns.h"
#include "tests/data/data_files.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;

// Two examples: a window of two columns and three rows, an integer, and a scalar.
std::shared_ptr<const DataSource> mixed() {
  ExampleShape shape;
  shape.inputs = {{"window", ElementType::float32, {2, 3}},
                  {"tokens", ElementType::int64, {1}},
                  {"age", ElementType::float32, {}}};
  shape.targets = {class_target(2)};
  Examples examples(shape);
  examples.values<float>(0) = {1, 2, 3, 10, 20, 30, 4, 5, 6, 40, 50, 60};
  examples.values<std::int64_t>(1) = {7, 8};
  examples.values<float>(2) = {-1, 3};
  examples.values<std::int64_t>(3) = {0, 1};
  return std::make_shared<DenseSource>("mixed", std::move(examples));
}

ColumnStatistics statistics_of(const DataSource& source) {
  const ColumnSums sums = sum_columns(source).value();
  std::vector<float> digits(sums.columns() * statistics_digits);
  sums.write(digits);
  return statistics_of_digits(digits, 1).value();
}

TEST(FloatColumns, AreTheFirstDimensionsOfFloatInputsInTheOrderOfTheirNames) {
  const auto source = mixed();
  const auto inputs = float_inputs(source->shape());
  ASSERT_EQ(inputs.size(), 2U);
  EXPECT_EQ(inputs[0].tensor, 2U);  // "age" comes before "window"
  EXPECT_EQ(inputs[0].columns, 1U);
  EXPECT_EQ(inputs[0].values, 1U);
  EXPECT_EQ(inputs[1].tensor, 0U);
  EXPECT_EQ(inputs[1].first_column, 1U);
  EXPECT_EQ(inputs[1].columns, 2U);
  EXPECT_EQ(inputs[1].values, 3U);
  EXPECT_EQ(float_columns(source->shape()), 3U);
}

TEST(ColumnSums, AreOfAllValuesOfAColumn) {
  const ColumnStatistics found = statistics_of(*mixed());
  EXPECT_THAT(found.means, ElementsAre(1.0, 3.5, 35.0));
  EXPECT_DOUBLE_EQ(found.deviations[0], 2);
  EXPECT_DOUBLE_EQ(found.deviations[1], std::sqrt(17.5 / 6));
  EXPECT_DOUBLE_EQ(found.deviations[2], std::sqrt(1750.0 / 6));
}

TEST(ColumnSums, ASourceWithoutFloatInputHasNone) {
  ExampleShape shape;
  shape.inputs = {{"tokens", ElementType::int64, {1}}};
  Examples examples(shape);
  examples.values<std::int64_t>(0) = {7, 8};
  const auto sums = sum_columns(DenseSource("tokens", std::move(examples)));
  ASSERT_FALSE(sums);
  EXPECT_THAT(sums.error().text(), HasSubstr("has no float32 input"));
}

TEST(ColumnSums, AStopEndsThem) {
  std::stop_source stop;
  stop.request_stop();
  const auto sums = sum_columns(*mixed(), stop.get_token());
  ASSERT_FALSE(sums);
  EXPECT_EQ(sums.error().reason.code, ReasonCode::stopped);
}

TEST(ScaledSource, OnlyFloatInputsAreScaled) {
  const auto source = mixed();
  const auto scaled = ScaledSource::create(source, statistics_of(*source));
  ASSERT_TRUE(scaled) << scaled.error().text();
  const testing::Indices both{1, 0};
  EXPECT_THAT(read_tensor<std::int64_t>(**scaled, 1, both).value(), ElementsAre(8, 7));
  EXPECT_THAT(read_tensor<std::int64_t>(**scaled, 3, both).value(), ElementsAre(1, 0));
  EXPECT_THAT(read_tensor<float>(**scaled, 2, both).value(), ElementsAre(1, -1));
  const auto window = read_tensor<float>(**scaled, 0, testing::Indices{1}).value();
  EXPECT_THAT(window[0], FloatEq(static_cast<float>((4 - 3.5) / std::sqrt(17.5 / 6))));
  EXPECT_THAT(window[5], FloatEq(static_cast<float>((60 - 35) / std::sqrt(1750.0 / 6))));
}

// One client alone: the same values as with its own mean and deviation.
TEST(ScaledSource, ScalesOneClientAsStandardDoes) {
  const testing::TemporaryFolder folder;
  DataConfig config;
  config.kind = "csv";
  config.file = folder / "rows.csv";
  config.label = "y";
  testing::write_text(
      config.file, "a,b,c,y\n1,1000000,5,0\n2,1000002,5,1\n4,1000004,5,0\n8,1000008,5,1\n-3,1000016,5,0\n");
  std::shared_ptr<const DataSource> raw = open_data_source(config).value();
  config.scale = Scaling::standard;
  const auto standard = open_data_source(config).value();
  const auto scaled = ScaledSource::create(raw, statistics_of(*raw)).value();
  const auto all = testing::all_of(*raw);
  const auto wanted = testing::read_inputs(*standard, all), found = testing::read_inputs(*scaled, all);
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_FLOAT_EQ(found[i], wanted[i]) << i;
  EXPECT_EQ(found[2], 0);  // a constant column
}

// The aggregator asks with a tiny deviation whether an input is above the mean that it claims.
TEST(AdversaryScaledSource, NoStatisticsMakeAnInputOverflow) {
  const auto scaled = ScaledSource::create(mixed(), {{3.9, 0, 0}, {1e-38, 1e-300, 1}}).value();
  for (const std::size_t tensor : {0, 2}) {
    const auto values = read_tensor<float>(*scaled, tensor, testing::Indices{0, 1}).value();
    for (const float value : values) EXPECT_LE(std::abs(value), scaled_value_max);
  }
}

TEST(ScaledSource, StatisticsOfOtherColumnsAreRefused) {
  const auto scaled = ScaledSource::create(mixed(), {{1, 2}, {1, 1}});
  ASSERT_FALSE(scaled);
  EXPECT_THAT(scaled.error().text(), HasSubstr("has 3 columns, and the federation's statistics are of 2"));
  EXPECT_THAT(scaled.error().hint, HasSubstr("statistics.columns = 3"));
}

TEST(ScaledSource, AnEvaluationWithoutStatisticsIsRefused) {
  const testing::TemporaryFolder folder;
  DataConfig config;
  config.kind = "csv";
  config.file = folder / "rows.csv";
  config.label = "y";
  config.scale = Scaling::federation;
  testing::write_text(config.file, "a,y\n1,0\n3,1\n");
  const auto refused = scaled(open_data_source(config).value(), config.scale, {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("there are none"));
  const auto source = scaled(open_data_source(config).value(), config.scale, vector_of({{2}, {0.5}}));
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_THAT(testing::read_inputs(**source, {0, 1}), ElementsAre(-2, 2));
}

}  // namespace
}  // namespace hansa::learning
