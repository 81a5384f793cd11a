// The training of models of all kinds against LibTorch's own SGD, and the guarantees of a task.
#include "learning/local_trainer.h"

#include <cmath>
#include <thread>

#include <gmock/gmock.h>

#include "tests/learning/local_trainer_fixture.h"

namespace hansa::learning {
namespace {

using testing::DataShape;
using ::testing::Each;
using ::testing::HasSubstr;
using testing::Outcome;
using testing::TemporaryFolder;
using testing::TestModel;

class LocalTrainer : public testing::LocalTrainerTest {};

TEST_F(LocalTrainer, CnnSmallInChannelsLastEqualsLibTorchs) {
  use_built_in("cnn-small", 40);
  training_.batch_size = 16;
  training_.weight_decay = 0.001;
  expect_reference();
}

TEST_F(LocalTrainer, OtherBuiltInModelsEqualLibTorchs) {
  for (const char* name : {"logistic", "mlp", "lenet"}) {
    use_built_in(name, 40);
    expect_reference();
  }
}

// Pixels of 0 or 1 are two of the model's characters.
TEST_F(LocalTrainer, LstmCharEqualsLibTorchs) {
  data_ = testing::write_data(folder_, {24, 4, 4, 10});
  ASSERT_TRUE(create_built_in("lstm-char", 5, archive_, {.classes = 10}));
  start();
  expect_reference();
}

TEST_F(LocalTrainer, FusedAndUnfusedPoolsOfSubmodulesEqualLibTorchs) {
  use(TestModel::nested_cnn, {20, 10, 10, 3});
  expect_reference();
}

// Debian 13's LibTorch computes wrong gradients here unless the trainer disables oneDNN.
TEST_F(LocalTrainer, ConvolutionsOfSequencesEqualDoublePrecision) {
  use(TestModel::two_conv1d, {20, 4, 16, 3});
  expect_reference();
}

TEST_F(LocalTrainer, WeightsThatAreAlsoInAListEqualLibTorchs) {
  use(TestModel::gru);
  expect_reference();
}

TEST_F(LocalTrainer, TiedWeightsGetTheSumOfTheirGradients) {
  use(TestModel::tied_weights);
  expect_reference();
}

TEST_F(LocalTrainer, OneStepFromZeroEqualsTheGradientComputedByHand) {
  use(TestModel::linear, {1, 1, 2, 1});
  training_ = {1, 1, 0.5, 0, 0, 0};
  testing::write_bytes(data_.images, {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 255, 51});
  testing::write_bytes(data_.labels, {0, 0, 8, 1, 0, 0, 0, 1, 2});
  start();
  training_ = {1, 1, 0.5, 0, 0, 0};
  // Softmax of zeros is 1/3 each: the gradient of score k is 1/3 - (k == 2), times x = (1, 0.2).
  const std::vector<float> by_hand{-0.5F / 3, -0.1F / 3, -0.5F / 3, -0.1F / 3, 1.0F / 3,
                                   0.2F / 3,  -0.5F / 3, -0.5F / 3, 1.0F / 3};
  EXPECT_THAT(train().delta, ::testing::Pointwise(::testing::FloatNear(1e-6F), by_hand));
}

TEST_F(LocalTrainer, EqualTasksGiveEqualBits) {
  use_built_in("cnn-small", 50);
  const std::vector<float> first = train().delta;
  EXPECT_EQ(train().delta, first) << "a task influences the next one";
  start();
  EXPECT_EQ(train().delta, first) << "a new trainer gives another result";
  ++request_.seed;
  EXPECT_NE(train().delta, first) << "the seed has no effect";
}

TEST_F(LocalTrainer, CopiesOfAnArchiveGiveEqualBits) {
  use_built_in("cnn-small", 50);
  const std::vector<float> first = train().delta;
  std::filesystem::copy_file(archive_, folder_ / "copy.pt");
  request_.archive = folder_ / "copy.pt";
  EXPECT_EQ(train().delta, first);
}

TEST_F(LocalTrainer, TrainersOnTwoThreadsGiveTheBitsOfASingleOne) {
  for (const TestModel model : {TestModel::dropout, TestModel::batch_norm}) {
    use(model);
    training_.epochs = 20;
    const std::vector<float> alone = train().delta;
    std::vector<std::vector<float>> together(2);
    {
      std::vector<std::jthread> threads;
      for (std::vector<float>& delta : together)
        threads.emplace_back([&] {
          LocalTrainerConfig config;
          config.data = data_;
          const auto trainer = make_local_trainer(config);
          for (int task = 0; task < 5; ++task)
            if (const auto out = train(*trainer)) delta = out->delta;
        });
    }
    EXPECT_EQ(together[0], alone);
    EXPECT_EQ(together[1], alone);
  }
}

TEST_F(LocalTrainer, DropoutFollowsTheSeed) {
  use(TestModel::dropout);
  training_.batch_size = 20;  // one batch, so that the order of examples hardly matters
  const std::vector<float> first = train().delta;
  EXPECT_EQ(train().delta, first);
  ++request_.seed;
  const std::vector<float> other = train().delta;
  double difference = 0;
  for (std::size_t i = 0; i < first.size(); ++i) difference += std::abs(first[i] - other[i]);
  EXPECT_GT(difference, 1e-3);
}

TEST_F(LocalTrainer, BatchNormBuffersAreInTheDelta) {
  use(TestModel::batch_norm);
  const std::vector<float> delta = train().delta;
  const auto entries = model_.layout.entries();
  const auto mean = std::find_if(entries.begin(), entries.end(),
                                 [](const auto& e) { return e.name == "norm.running_mean"; });
  ASSERT_NE(mean, entries.end());
  double moved = 0;
  for (std::uint64_t i = 0; i < mean->count; ++i) moved += std::abs(delta[mean->offset + i]);
  EXPECT_GT(moved, 0.1);
  EXPECT_EQ(train().delta, delta) << "buffers of one task reach the next";
}

TEST_F(LocalTrainer, BatchNormTrainsAlthoughOneExampleRemains) {
  use(TestModel::batch_norm, {13, 4, 4, 3});
  training_.batch_size = 6;
  EXPECT_EQ(train().result.samples, 26U);
}

TEST_F(LocalTrainer, AttributesThatTheModelChangesAreResetForEachTask) {
  use(TestModel::counter);
  const std::vector<float> first = train().delta;
  EXPECT_EQ(train().delta, first);
}

TEST_F(LocalTrainer, CustomLossIsUsed) {
  use(TestModel::linear);
  training_.steps_max = 1;
  const Outcome plain = train();
  use(TestModel::custom_loss);
  training_.steps_max = 1;
  const Outcome doubled = train();
  ASSERT_EQ(plain.delta.size(), doubled.delta.size());
  for (std::size_t i = 0; i < plain.delta.size(); ++i)
    EXPECT_NEAR(doubled.delta[i], 2 * plain.delta[i], 1e-6);
  EXPECT_NEAR(doubled.result.metrics.at(0).sum, 2 * plain.result.metrics.at(0).sum, 1e-5);
}

TEST_F(LocalTrainer, CountsMatchTheWorkDone) {
  use(TestModel::linear, {20, 4, 4, 3});
  training_.epochs = 3;
  const Outcome all = train();
  EXPECT_EQ(all.result.examples, 20U);
  EXPECT_EQ(all.result.samples, 60U);
  ASSERT_EQ(all.result.metrics.size(), 2U);
  EXPECT_EQ(all.result.metrics[0].name, "loss");
  EXPECT_EQ(all.result.metrics[0].count, 20);
  EXPECT_EQ(all.result.metrics[1].name, "accuracy");
  training_.steps_max = 2;
  const Outcome two = train();
  EXPECT_EQ(two.result.examples, 12U);
  EXPECT_EQ(two.result.samples, 12U);
  training_.steps_max = 5;
  EXPECT_EQ(train().result.samples, 26U) << "an epoch of 6 + 6 + 6 + 2, then one batch";
  EXPECT_EQ(train().result.metrics[0].count, 6) << "metrics are the last epoch's";
}

TEST_F(LocalTrainer, TrainingLowersTheLoss) {
  use_built_in("cnn-small", 60);
  training_.epochs = 1;
  const Outcome first = train();
  training_.epochs = 15;
  const Outcome last = train();
  EXPECT_LT(last.result.metrics.at(0).sum, 0.5 * first.result.metrics.at(0).sum);
  EXPECT_GT(last.result.metrics.at(1).sum, 55);
}

TEST_F(LocalTrainer, StopRequestEndsTheTaskWithoutATrace) {
  use(TestModel::linear);
  training_.epochs = 1000;
  std::stop_source source;
  source.request_stop();
  std::vector<float> delta(model_.parameters.size(), 42.0F);
  const auto result = train_on(*trainer_, request(), model_.parameters, delta, source.get_token());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::resource);
  EXPECT_EQ(result.error().what, "stopped");
  EXPECT_THAT(delta, Each(42.0F));
}

TEST_F(LocalTrainer, StopRequestFromAnotherThreadEndsARunningTask) {
  use_built_in("mlp", 200);
  training_ = {1000, 1, 0.0001, 0, 0, 0};  // 200,000 steps: far longer than the test may take
  std::stop_source source;
  std::optional<Result<Outcome>> outcome;
  std::jthread worker([&] { outcome = train(*trainer_, source.get_token()); });
  source.request_stop();
  worker.join();
  ASSERT_FALSE(*outcome);
  EXPECT_EQ(outcome->error().what, "stopped");
}

TEST_F(LocalTrainer, DivergenceIsRefusedWithAHint) {
  use_built_in("mlp", 60);
  training_.learning_rate = 1e20;
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::data);
  EXPECT_THAT(error.text(), HasSubstr("lower training.learning_rate"));
}

TEST_F(LocalTrainer, DivergenceInTheLastStepIsRefused) {
  use_built_in("mlp", 60);
  training_.learning_rate = 1e38;
  training_.weight_decay = 1e38;
  training_.steps_max = 1;
  std::vector<float> delta(model_.parameters.size(), 42.0F);
  const auto result = train_on(*trainer_, request(), model_.parameters, delta, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::data);
  EXPECT_THAT(delta, Each(42.0F));
}

TEST_F(LocalTrainer, AnotherLayoutIsRefused) {
  use(TestModel::linear);
  request_.layout.bytes[0] ^= 1;
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::model);
  EXPECT_THAT(error.what, HasSubstr("parameter layout"));
}

TEST_F(LocalTrainer, AModelForOtherImagesIsRefusedNamingTheData) {
  use(TestModel::linear);
  testing::write_archive(TestModel::linear, archive_, {5, 5});
  start();
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::model);
  EXPECT_THAT(error.what, HasSubstr(data_.images.string()));
  EXPECT_THAT(error.text(), ::testing::Not(HasSubstr("\n")));
}

TEST_F(LocalTrainer, AModelWithTooFewClassesIsRefused) {
  use(TestModel::linear, {20, 4, 4, 4});
  EXPECT_THAT(refusal().what, HasSubstr("3 outputs, but the labels"));
}

TEST_F(LocalTrainer, ExceptionsOfTheModelAreReported) {
  use(TestModel::raises);
  EXPECT_THAT(refusal().what, HasSubstr("no examples today"));
}

TEST_F(LocalTrainer, AChangedArchiveIsReadAgain) {
  use(TestModel::linear);
  const std::vector<float> plain = train().delta;
  testing::write_archive(TestModel::custom_loss, archive_);
  EXPECT_NE(train().delta, plain);
}

TEST_F(LocalTrainer, BadDataIsReportedAtTheFirstUseAndCanBeFixed) {
  use(TestModel::linear);
  const auto bytes = testing::read_bytes(data_.images);
  std::filesystem::remove(data_.images);
  const auto count = trainer_->available_data({});
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().code, ErrorCode::data);
  EXPECT_EQ(refusal().code, ErrorCode::data);
  testing::write_bytes(data_.images, bytes);
  EXPECT_EQ(trainer_->available_data({}).value().examples, 20U);
}

TEST_F(LocalTrainer, ATaskBeyondTheMemoryLimitIsRefusedBeforeItStarts) {
  memory_bytes_max_ = 4 << 20;
  use_built_in("cnn-small", 500);
  training_.batch_size = 500;
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::resource);
  EXPECT_THAT(error.text(), HasSubstr("training.batch_size"));
  memory_bytes_max_ = 500 << 20;
  start();
  training_.batch_size = 500;
  EXPECT_EQ(train().result.examples, 500U);
}

TEST_F(LocalTrainer, TheMemoryGuardChangesNoBit) {
  use(TestModel::batch_norm);
  const std::vector<float> plain = train().delta;
  memory_bytes_max_ = 500 << 20;
  start();
  EXPECT_EQ(train().delta, plain);
}

}  // namespace
}  // namespace hansa::learning
