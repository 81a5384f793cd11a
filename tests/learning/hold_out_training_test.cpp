// Examples that a device holds out: they are measured, and no training ever reads them.
#include <atomic>
#include <memory>

#include <gmock/gmock.h>

#include "common/held_out_metrics.h"
#include "learning/data/dense_source.h"
#include "learning/data_supply.h"
#include "learning/evaluation.h"
#include "learning/hold_out.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "tests/data/data_files.h"
#include "tests/learning/archives.h"

namespace hansa::learning {
namespace {

using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::TestModel;

constexpr std::uint64_t key = 99;
constexpr double fraction = 0.3;

// Notes whose targets were read: only batches read targets.
class WatchedSource final : public DataSource {
 public:
  explicit WatchedSource(std::shared_ptr<const DataSource> source) : source_(std::move(source)) {
    read_.resize(source_->example_count());
  }
  [[nodiscard]] std::uint64_t example_count() const override { return source_->example_count(); }
  [[nodiscard]] const ExampleShape& shape() const override { return source_->shape(); }
  [[nodiscard]] std::uint64_t memory_bytes() const override { return source_->memory_bytes(); }
  [[nodiscard]] std::string location() const override { return source_->location(); }
  Result<void> read(std::span<const std::uint32_t> indices,
                    std::span<const TensorBytes> tensors) const override {
    if (!tensors[1].empty())
      for (const std::uint32_t index : indices) ++read_[index];
    return source_->read(indices, tensors);
  }
  mutable std::vector<int> read_;

 private:
  std::shared_ptr<const DataSource> source_;
};

class HoldOutTraining : public ::testing::Test {
 protected:
  HoldOutTraining() {
    source_ =
        std::make_shared<WatchedSource>(*open_examples(testing::write_data(folder_, {60, 28, 28, 10}, 1)));
    split_ = split_examples(*source_, fraction, key).value();
    EXPECT_TRUE(create_built_in("mlp", 3, archive_));
  }
  Result<TrainingResult> train(std::optional<HoldOut> hold_out, const std::vector<std::string>& personal = {},
                               const KeptVectors& kept = {}) {
    LocalTrainerConfig config;
    config.supply = supply_data(source_);
    const auto model = describe_archive(archive_, personal);
    TrainingRequest request;
    request.archive = archive_;
    request.layout = model->layout.digest();
    request.method = sgd_method({.epochs = 2, .batch_size = 7, .personal = personal});
    request.seed = 7;
    request.hold_out = hold_out;
    request.hold_out_key = key;
    request.kept = kept;
    request.own_metrics = own_metrics_;
    delta_.assign(model->parameters.size(), 0);
    return train_on(*make_local_trainer(config), request, model->parameters, delta_);
  }
  // Loss and accuracy of a model by the evaluator, on the examples that are held out.
  [[nodiscard]] Metrics evaluated(std::span<const float> parameters = {},
                                  const std::vector<std::string>& personal = {}) const {
    auto held_out = std::make_unique<ExampleSubset>(*source_, split_.held_out);
    auto evaluator = make_evaluator(ArchiveFile(archive_), std::move(held_out), 1, personal);
    return *(*evaluator)->evaluate(parameters);
  }

  TemporaryFolder folder_;
  std::filesystem::path archive_ = folder_ / "model.pt";
  std::shared_ptr<WatchedSource> source_;
  ExampleSplit split_;
  std::vector<std::string> own_metrics_;
  std::vector<float> delta_;
};

TEST_F(HoldOutTraining, NoTrainingReadsThemAlsoInRoundsThatMeasureNothing) {
  ASSERT_GT(split_.held_out.size(), 5U);
  const auto trained = train(HoldOut{fraction, Measure::no});
  ASSERT_TRUE(trained) << trained.error().text();
  EXPECT_EQ(trained->examples, split_.training.size()) << "the weight";
  EXPECT_EQ(trained->samples, 2 * split_.training.size());
  for (const std::uint32_t index : split_.held_out) EXPECT_EQ(source_->read_[index], 0);
  for (const std::uint32_t index : split_.training) EXPECT_EQ(source_->read_[index], 2);
  for (const Metric& metric : trained->metrics) EXPECT_FALSE(is_of_held_out(metric.name));
}

TEST_F(HoldOutTraining, TheGlobalModelIsMeasuredOnThemBeforeTheTraining) {
  const auto trained = train(HoldOut{fraction, Measure::yes});
  ASSERT_TRUE(trained) << trained.error().text();
  for (const std::uint32_t index : split_.held_out) EXPECT_EQ(source_->read_[index], 1);
  for (const std::uint32_t index : split_.training) EXPECT_EQ(source_->read_[index], 2);
  const Metrics expected = evaluated();
  const auto count = static_cast<double>(split_.held_out.size());
  ASSERT_EQ(trained->metrics.size(), 4U);
  EXPECT_EQ(trained->metrics[2].name, held_out_loss);
  EXPECT_NEAR(trained->metrics[2].sum, expected[0].sum, 1e-3);
  EXPECT_EQ(trained->metrics[2].count, count);
  EXPECT_EQ(trained->metrics[3], (Metric{std::string(held_out_accuracy), expected[1].sum, count}));
}

TEST_F(HoldOutTraining, TheModelsOwnMetricsAreMeasuredIfTheTaskNamesThem) {
  testing::write_archive(TestModel::custom_loss, archive_, {28, 28});
  source_ = std::make_shared<WatchedSource>(*open_examples(testing::write_data(folder_, {60, 28, 28, 3}, 1)));
  split_ = split_examples(*source_, fraction, key).value();
  const auto count = static_cast<double>(split_.held_out.size());
  EXPECT_FALSE(mean_of(train(HoldOut{fraction, Measure::yes})->metrics, "held_out_own.right"))
      << "the task names none";
  const std::vector<float> unmeasured = delta_;
  own_metrics_ = {"right"};
  const auto trained = train(HoldOut{fraction, Measure::yes});
  ASSERT_TRUE(trained) << trained.error().text();
  EXPECT_EQ(trained->note, "");
  const Metric& own = trained->metrics.back();
  EXPECT_EQ(own.name, "held_out_own.right");
  EXPECT_NEAR(own.sum, mean_of(evaluated(), "right").value() * count, 1e-9);
  EXPECT_EQ(own.count, count);
  EXPECT_EQ(delta_, unmeasured);
}

TEST_F(HoldOutTraining, AnOwnMetricThatTheModelDoesNotReturnIsReportedAndTheLossIsMeasured) {
  own_metrics_ = {"auc"};
  for (const TestModel model : {TestModel::custom_loss, TestModel::bad_metrics, TestModel::linear}) {
    testing::write_archive(model, archive_, {28, 28});
    source_ =
        std::make_shared<WatchedSource>(*open_examples(testing::write_data(folder_, {60, 28, 28, 3}, 1)));
    const auto trained = train(HoldOut{fraction, Measure::yes});
    ASSERT_TRUE(trained) << trained.error().text();
    EXPECT_TRUE(mean_of(trained->metrics, held_out_loss));
    EXPECT_FALSE(mean_of(trained->metrics, "held_out_own.auc"));
    EXPECT_THAT(trained->note, HasSubstr("own metrics are not measured"));
  }
}

TEST_F(HoldOutTraining, MeasuringDoesNotChangeTheUpdate) {
  ASSERT_TRUE(train(HoldOut{fraction, Measure::no}));
  const std::vector<float> unmeasured = delta_;
  ASSERT_TRUE(train(HoldOut{fraction, Measure::yes}));
  EXPECT_EQ(delta_, unmeasured);
  ASSERT_TRUE(train({}));
  EXPECT_NE(delta_, unmeasured) << "on all examples";
}

TEST_F(HoldOutTraining, MeasuringDoesNotChangeTheUpdateOfAModelWithDropoutOrStatistics) {
  for (const TestModel model : {TestModel::dropout, TestModel::batch_norm, TestModel::counter}) {
    testing::write_archive(model, archive_, {28, 28});
    source_ =
        std::make_shared<WatchedSource>(*open_examples(testing::write_data(folder_, {60, 28, 28, 3}, 1)));
    ASSERT_TRUE(train(HoldOut{fraction, Measure::no}));
    const std::vector<float> unmeasured = delta_;
    ASSERT_TRUE(train(HoldOut{fraction, Measure::yes}));
    EXPECT_EQ(delta_, unmeasured) << static_cast<int>(model);
  }
}

TEST_F(HoldOutTraining, ThePersonalModelIsMeasuredToo) {
  const std::vector<std::string> head{"fc2.*"};
  const auto first = train(HoldOut{fraction, Measure::yes}, head);
  ASSERT_TRUE(first) << first.error().text();
  ASSERT_EQ(first->metrics.size(), 6U);
  EXPECT_EQ(first->metrics[4].name, held_out_personal_loss);
  EXPECT_EQ(first->metrics[5].name, held_out_personal_accuracy);
  EXPECT_EQ(first->metrics[4].sum, first->metrics[2].sum) << "it begins with the archived values";
  const auto second = train(HoldOut{fraction, Measure::yes}, head, first->kept);
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_EQ(second->metrics[2], first->metrics[2]) << "the same global model";
  EXPECT_NE(second->metrics[4].sum, first->metrics[4].sum);
  EXPECT_NEAR(second->metrics[2].sum, evaluated({}, head)[0].sum, 1e-3)
      << "the global model has the archived values, as on the aggregator";
}

TEST_F(HoldOutTraining, ADeviceWhoseExamplesAreAllOnOneSideSaysSo) {
  Examples one(one_input({28, 28}, class_target(10)));
  one.values<float>(0).assign(28 * 28, 0.5F);
  one.values<std::int64_t>(1) = {3};
  source_ = std::make_shared<WatchedSource>(std::make_shared<DenseSource>("one row", one));
  bool trained = false, refused = false;
  for (std::uint64_t other = 0; other < 64 && !(trained && refused); ++other) {
    one.values<float>(0)[0] = static_cast<float>(other);
    source_ = std::make_shared<WatchedSource>(std::make_shared<DenseSource>("one row", one));
    const auto result = train(HoldOut{fraction, Measure::yes});
    if (result) {
      trained = true;
      EXPECT_EQ(result->examples, 1U);
      EXPECT_EQ(result->metrics.size(), 2U) << "nothing is held out";
    } else {
      refused = true;
      EXPECT_EQ(result.error().code, ErrorCode::data);
      EXPECT_THAT(result.error().text(), HasSubstr("too few examples to train on"));
    }
  }
  EXPECT_TRUE(trained && refused);
}

}  // namespace
}  // namespace hansa::learning
