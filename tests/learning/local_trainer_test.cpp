// The trainer against LibTorch's own optimiser, and the guarantees of a task.
#include "learning/local_trainer.h"

#include <cmath>
#include <thread>

#include <gmock/gmock.h>

#include "learning/model_archive.h"
#include "tests/learning/archives.h"
#include "tests/data/data_files.h"

namespace hansa::learning {
namespace {

using testing::DataShape;
using ::testing::Each;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::TestModel;

struct Outcome {
  TrainingResult result;
  std::vector<float> delta;
};

class LocalTrainer : public ::testing::Test {
 protected:
  void use(TestModel model, const DataShape& shape = {}) {
    data_ = testing::write_data(folder_, shape);
    testing::write_archive(model, archive_, {shape.rows, shape.columns});
    start();
  }
  void use_built_in(const std::string& name, std::uint32_t examples) {
    data_ = testing::write_data(folder_, {examples, 28, 28, 10});
    ASSERT_TRUE(create_built_in(name, 5, archive_));
    start();
  }
  void start() {
    LocalTrainerConfig config;
    config.data = data_;
    config.memory_bytes_max = memory_bytes_max_;
    trainer_ = make_local_trainer(config);
    auto model = describe_archive(archive_);
    ASSERT_TRUE(model) << model.error().text();
    model_ = *std::move(model);
    request_.archive = archive_;
    request_.layout = model_.layout.digest();
    training_ = {2, 6, 0.05, 0, 0, 0};
    request_.seed = 11;
  }
  TrainingRequest request() const {
    TrainingRequest out = request_;
    out.method = {std::string(method_), training_options(training_)};
    return out;
  }
  Result<Outcome> train(Trainer& trainer, std::stop_token stop = {}) const {
    Outcome out;
    out.delta.assign(model_.parameters.size(), 42.0F);
    HANSA_TRY(out.result, train_on(trainer, request(), model_.parameters, out.delta, std::move(stop)));
    return out;
  }
  Outcome train() {
    auto out = train(*trainer_);
    if (!out) throw std::runtime_error(out.error().text());
    return *std::move(out);
  }
  Error refusal() {
    auto out = train(*trainer_);
    return out ? Error{ErrorCode::internal, "", "was trained", ""} : out.error();
  }
  // Compares with LibTorch's own optimiser, except for the rounding of different kernels.
  void expect_reference() {
    const Outcome trained = train();
    const std::vector<float> expected = testing::reference_delta(archive_, data_, training_, request_.seed);
    ASSERT_LE(expected.size(), trained.delta.size());
    double largest = 0;
    double difference = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_TRUE(std::isfinite(expected[i]) && std::isfinite(trained.delta[i])) << i;
      largest = std::max(largest, std::abs(double{expected[i]}));
      difference = std::max(difference, std::abs(double{expected[i]} - double{trained.delta[i]}));
    }
    EXPECT_GT(largest, 1e-4) << "training did not change the model";
    EXPECT_LT(difference, 1e-3 * largest);
  }

  TemporaryFolder folder_;
  std::filesystem::path archive_ = folder_ / "model.pt";
  std::uint64_t memory_bytes_max_ = 0;
  DataConfig data_;
  std::unique_ptr<Trainer> trainer_;
  ModelDescription model_;
  TrainingRequest request_;
  TrainingConfig training_;
  const char* method_ = "sgd";  // that of training_.optimizer
};

TEST_F(LocalTrainer, PlainSgdEqualsLibTorchs) {
  use(TestModel::linear);
  expect_reference();
}

TEST_F(LocalTrainer, MomentumAndWeightDecayEqualLibTorchs) {
  use(TestModel::linear);
  training_.momentum = 0.9;
  training_.weight_decay = 0.01;
  training_.epochs = 3;
  expect_reference();
}

TEST_F(LocalTrainer, NesterovsMomentumEqualsLibTorchs) {
  use(TestModel::linear);
  training_.momentum = 0.9;
  training_.nesterov = true;
  training_.weight_decay = 0.01;
  training_.epochs = 3;
  expect_reference();
}

TEST_F(LocalTrainer, AdamAndAdamWEqualLibTorchs) {
  for (const char* name : {"mlp", "cnn-small"}) {
    use_built_in(name, 40);
    training_.learning_rate = 0.003;
    training_.epochs = 3;
    training_.weight_decay = 0.05;
    training_.beta1 = 0.8;
    training_.beta2 = 0.98;
    // A larger one than usual: where a gradient is rounding noise, Adam makes a whole step of it.
    training_.epsilon = 1e-3;
    training_.optimizer = LocalOptimizer::adam;
    method_ = "adam";
    expect_reference();
    training_.optimizer = LocalOptimizer::adamw;
    method_ = "adamw";
    expect_reference();
  }
}

TEST_F(LocalTrainer, ClippedGradientsEqualLibTorchs) {
  use(TestModel::linear);
  training_.clip_norm = 0.05;
  expect_reference();
  training_.clip_value = 0.01;
  expect_reference();
  training_.clip_norm = 0;
  expect_reference();
}

TEST_F(LocalTrainer, AClippedStepIsNoLongerThanItsLimit) {
  use(TestModel::linear);
  training_ = {.batch_size = 6, .learning_rate = 1, .steps_max = 1, .clip_norm = 0.03};
  const Outcome trained = train();
  double squares = 0;
  for (const float value : trained.delta) squares += double{value} * value;
  EXPECT_NEAR(std::sqrt(squares), 0.03, 1e-5);
  training_.clip_norm = 0;
  training_.clip_value = 0.001;
  for (const float value : train().delta) ASSERT_LE(std::abs(value), 0.00101F);
}

// The parts of a batch of 7 examples differ in size.
TEST_F(LocalTrainer, TheStepOfABatchInPartsIsThatOfTheWholeBatch) {
  for (const std::uint32_t parts : {2U, 3U, 7U, 50U}) {
    use_built_in("cnn-small", 40);
    training_.batch_size = 7;
    training_.momentum = 0.9;
    training_.accumulate = parts;
    expect_reference();
    const Outcome in_parts = train();
    training_.accumulate = 1;
    const Outcome whole = train();
    EXPECT_EQ(in_parts.result.samples, whole.result.samples);
    EXPECT_NEAR(in_parts.result.metrics[0].sum, whole.result.metrics[0].sum, 1e-3);
    EXPECT_EQ(in_parts.result.metrics[1], whole.result.metrics[1]) << "accuracy";
  }
}

TEST_F(LocalTrainer, ABatchInPartsNeedsLessMemory) {
  use_built_in("cnn-small", 512);
  training_.batch_size = 512;
  memory_bytes_max_ = 40U << 20;
  start();
  training_.batch_size = 512;
  const Error refused = refusal();
  EXPECT_EQ(refused.code, ErrorCode::resource);
  EXPECT_NE(refused.text().find("training.accumulate"), std::string::npos) << refused.text();
  training_.accumulate = 32;
  EXPECT_TRUE(train(*trainer_));
}

// bfloat16 has 8 bits of precision, so that a first step differs from that of float32 by a few percent.
TEST_F(LocalTrainer, MixedPrecisionIsNearFloat32AndRepeatsBitForBit) {
  for (const char* name : {"mlp", "cnn-small"}) {
    use_built_in(name, 40);
    training_.steps_max = 1;
    const Outcome exact = train();
    training_.bfloat16 = true;
    const Outcome mixed = train(), again = train();
    EXPECT_EQ(mixed.delta, again.delta) << name;
    EXPECT_NE(mixed.delta, exact.delta) << name;
    double squares = 0, difference = 0;
    for (std::size_t i = 0; i < exact.delta.size(); ++i) {
      squares += double{exact.delta[i]} * exact.delta[i];
      difference += std::pow(double{exact.delta[i]} - double{mixed.delta[i]}, 2);
    }
    EXPECT_LT(std::sqrt(difference / squares), 0.1) << name;
    // It ends with the task.
    training_.bfloat16 = false;
    EXPECT_EQ(train().delta, exact.delta) << name;
  }
}

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
