// Evaluation: sums over all examples, with the model in evaluation mode.
#include "learning/evaluation.h"

#include <cmath>

#include <gmock/gmock.h>

#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "tests/learning/archives.h"
#include "tests/data/data_files.h"

namespace hansa::learning {
namespace {

using testing::DataShape;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::TestModel;

class Evaluation : public ::testing::Test {
 protected:
  void use(TestModel model, const DataShape& shape = {}) {
    data_ = testing::write_data(folder_, shape);
    testing::write_archive(model, archive_, {shape.rows, shape.columns});
    start();
  }
  void start() {
    auto made = make_evaluator(archive_, data_, 1);
    ASSERT_TRUE(made) << made.error().text();
    evaluator_ = *std::move(made);
  }
  Metrics evaluate(std::span<const float> parameters = {}) {
    auto metrics = evaluator_->evaluate(parameters);
    if (!metrics) throw std::runtime_error(metrics.error().text());
    return *std::move(metrics);
  }

  TemporaryFolder folder_;
  std::filesystem::path archive_ = folder_ / "model.pt";
  DataConfig data_;
  std::unique_ptr<Evaluator> evaluator_;
};

TEST_F(Evaluation, ZeroWeightsGiveTheLossOfGuessingAtRandom) {
  use(TestModel::linear, {600, 4, 4, 3});  // three batches, the last one smaller
  const Metrics metrics = evaluate();
  ASSERT_EQ(metrics.size(), 2U);
  EXPECT_EQ(metrics[0].name, "loss");
  EXPECT_EQ(metrics[0].count, 600);
  EXPECT_NEAR(metrics[0].sum, 600 * std::log(3.0), 1e-3);
  EXPECT_EQ(metrics[1].name, "accuracy");
  EXPECT_EQ(metrics[1].sum, 200) << "all scores are equal, so class 0 is guessed: a third of the examples";
  EXPECT_EQ(metrics[1].count, 600);
}

TEST_F(Evaluation, WeightsThatDetectTheStripeClassifyAllExamples) {
  use(TestModel::linear, {300, 3, 4, 3});
  std::vector<float> parameters(3 * 12 + 3, 0.0F);
  for (std::size_t label = 0; label < 3; ++label)
    for (std::size_t column = 0; column < 4; ++column) parameters[label * 12 + label * 4 + column] = 10;
  EXPECT_EQ(evaluate(parameters)[1].sum, 300);
  EXPECT_EQ(evaluate()[1].sum, 100)
      << "without parameters the archived ones are used, not those of the last call";
}

TEST_F(Evaluation, SavedModelEvaluatesAsItsParametersDo) {
  data_ = testing::write_data(folder_, {300, 28, 28, 10});
  ASSERT_TRUE(create_built_in("cnn-small", 3, archive_));
  start();
  auto parameters = describe_archive(archive_)->parameters;
  for (float& value : parameters) value *= 1.5F;
  const Metrics given = evaluate(parameters);
  ASSERT_TRUE(save_with_parameters(archive_, parameters, folder_ / "trained.pt"));
  archive_ = folder_ / "trained.pt";
  start();
  EXPECT_EQ(evaluate(), given);
}

TEST_F(Evaluation, ATrainedModelClassifiesNewExamples) {
  data_ = testing::write_data(folder_, {200, 28, 28, 10}, 1);
  ASSERT_TRUE(create_built_in("cnn-small", 3, archive_));
  LocalTrainerConfig config;
  config.data = data_;
  const auto model = describe_archive(archive_);
  std::vector<float> parameters = model->parameters;
  std::vector<float> delta(parameters.size());
  TrainingRequest request{archive_, model->layout.digest(), sgd_method({8, 10, 0.05, 0, 0, 0})};
  request.seed = 1;
  const auto trained = train_on(*make_local_trainer(config), request, parameters, delta);
  ASSERT_TRUE(trained) << trained.error().text();
  for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] += delta[i];
  data_ = testing::write_data(folder_, {300, 28, 28, 10}, 2);
  start();
  EXPECT_LT(evaluate()[1].sum, 100);
  EXPECT_GT(evaluate(parameters)[1].sum, 290);
}

TEST_F(Evaluation, DropoutIsOff) {
  use(TestModel::dropout);
  std::vector<float> parameters(3 * 16 + 3, 0.3F);
  parameters[5] = 2;
  EXPECT_EQ(evaluate(parameters), evaluate(parameters));
}

TEST_F(Evaluation, BatchNormUsesTheGivenBuffersAndKeepsThem) {
  use(TestModel::batch_norm);
  auto parameters = describe_archive(archive_)->parameters;
  for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] += 0.1F * static_cast<float>(i % 7);
  const Metrics first = evaluate(parameters);
  EXPECT_EQ(evaluate(parameters), first);
  EXPECT_NE(evaluate(), first);
}

TEST_F(Evaluation, ArchivedValuesAreTheSameBeforeAndAfterOthersWereEvaluated) {
  use(TestModel::batch_norm);
  const Metrics archived = evaluate();
  std::vector<float> others = describe_archive(archive_)->parameters;
  for (std::size_t i = 0; i < others.size(); ++i) others[i] += 0.1F * static_cast<float>(i % 7);
  ASSERT_NE(evaluate(others), archived);
  EXPECT_EQ(evaluate(), archived);
  start();  // asks for other values first
  ASSERT_NE(evaluate(others), archived);
  EXPECT_EQ(evaluate(), archived);
}

TEST_F(Evaluation, TheModelsOwnMetricsReplaceTheDefaults) {
  use(TestModel::custom_loss, {600, 4, 4, 3});
  const Metrics metrics = evaluate();
  ASSERT_EQ(metrics.size(), 2U);
  EXPECT_EQ(metrics[0], (Metric{"right", 200, 600}));
  EXPECT_EQ(metrics[1], (Metric{"ones", 600, 600}));
}

TEST_F(Evaluation, InvalidMetricsAreRefusedNamingTheRequiredForm) {
  use(TestModel::bad_metrics);
  const auto metrics = evaluator_->evaluate({});
  ASSERT_FALSE(metrics);
  EXPECT_EQ(metrics.error().code, ErrorCode::model);
  EXPECT_THAT(metrics.error().what, HasSubstr("Dict[str, Tuple[float, float]]"));
}

TEST_F(Evaluation, VectorOfAnotherSizeIsRefused) {
  use(TestModel::linear);
  const auto metrics = evaluator_->evaluate(std::vector<float>(7));
  ASSERT_FALSE(metrics);
  EXPECT_EQ(metrics.error().code, ErrorCode::model);
}

TEST_F(Evaluation, UnusableDataIsRefusedWhenTheEvaluatorIsCreated) {
  use(TestModel::linear);
  data_.labels = folder_ / "missing";
  const auto made = make_evaluator(archive_, data_, 1);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::data);
}

}  // namespace
}  // namespace hansa::learning
