// The optimisers of local training and the options of a step, against LibTorch's own optimisers.
#include <cmath>

#include <gtest/gtest.h>

#include "tests/learning/local_trainer_fixture.h"

namespace hansa::learning {
namespace {

using testing::Outcome;
using testing::TestModel;

class LocalOptimizers : public testing::LocalTrainerTest {};

TEST_F(LocalOptimizers, PlainSgdEqualsLibTorchs) {
  use(TestModel::linear);
  expect_reference();
}

TEST_F(LocalOptimizers, MomentumAndWeightDecayEqualLibTorchs) {
  use(TestModel::linear);
  training_.momentum = 0.9;
  training_.weight_decay = 0.01;
  training_.epochs = 3;
  expect_reference();
}

TEST_F(LocalOptimizers, NesterovsMomentumEqualsLibTorchs) {
  use(TestModel::linear);
  training_.momentum = 0.9;
  training_.nesterov = true;
  training_.weight_decay = 0.01;
  training_.epochs = 3;
  expect_reference();
}

TEST_F(LocalOptimizers, AdamAndAdamWEqualLibTorchs) {
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

TEST_F(LocalOptimizers, ClippedGradientsEqualLibTorchs) {
  use(TestModel::linear);
  training_.clip_norm = 0.05;
  expect_reference();
  training_.clip_value = 0.01;
  expect_reference();
  training_.clip_norm = 0;
  expect_reference();
}

TEST_F(LocalOptimizers, AClippedStepIsNoLongerThanItsLimit) {
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
TEST_F(LocalOptimizers, TheStepOfABatchInPartsIsThatOfTheWholeBatch) {
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

TEST_F(LocalOptimizers, ABatchInPartsNeedsLessMemory) {
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
TEST_F(LocalOptimizers, MixedPrecisionIsNearFloat32AndRepeatsBitForBit) {
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

}  // namespace
}  // namespace hansa::learning
