// Methods of the trainer: the registry, and a method that exchanges an additional vector in each direction.
#include <limits>
#include <numeric>

#include <gmock/gmock.h>

#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "tests/data/data_files.h"
#include "tests/learning/anchored_method.h"

namespace hansa::learning {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

TEST(MethodRegistry, TheTrainerHasEachMethodThatIsDescribedAndNoOther) {
  const MethodRegistry shipped = shipped_methods();
  ASSERT_EQ(shipped.table().size(), built_in_methods().size());
  for (const MethodDescription& method : built_in_methods()) {
    const TrainingMethod* found = shipped.find(method.name);
    ASSERT_NE(found, nullptr) << method.name;
    EXPECT_EQ(found->description().inputs, method.inputs);
    EXPECT_EQ(found->description().outputs, method.outputs);
    EXPECT_EQ(found->description().options.size(), method.options.size());
  }
  EXPECT_EQ(shipped.find("anchored"), nullptr);
}

class Methods : public ::testing::Test {
 protected:
  Methods() {
    config_.data = testing::write_data(folder_, {60, 28, 28, 10}, 1);
    config_.methods = testing::with_anchored();
    trainer_ = make_local_trainer(config_);
    EXPECT_TRUE(create_built_in("mlp", 3, archive_));
    const auto facts = describe_archive(archive_);
    EXPECT_TRUE(facts) << facts.error().text();
    model_ = facts->parameters;
    request_.archive = archive_;
    request_.layout = facts->layout.digest();
    request_.method = sgd_method({.epochs = 2, .batch_size = 10});
    request_.seed = 7;
    for (std::vector<float>* output : {&delta_, &drift_}) output->assign(model_.size(), 42.0F);
  }
  void use_anchored(double pull) {
    request_.method.name = "anchored";
    request_.method.options.push_back({"pull", pull});
    request_.inputs = {{"model", model_}, {"anchor", anchor_}};
  }
  Result<TrainingResult> train() {
    const OutputVector outputs[] = {{"delta", delta_}, {"drift", drift_}};
    return trainer_->train(request_, outputs, {});
  }

  TemporaryFolder folder_;
  std::filesystem::path archive_ = folder_ / "model.pt";
  LocalTrainerConfig config_;
  std::unique_ptr<Trainer> trainer_;
  TrainingRequest request_;
  std::vector<float> model_, anchor_, delta_, drift_;
};

TEST_F(Methods, AnAdditionalInputIsReadAndAnAdditionalOutputIsWritten) {
  std::vector<float> by_sgd(model_.size());
  ASSERT_TRUE(train_on(*trainer_, request_, model_, by_sgd));
  anchor_.assign(model_.size(), 0.125F);
  use_anchored(0);
  ASSERT_TRUE(train());
  EXPECT_EQ(delta_, by_sgd) << "without a pull it is SGD, bit for bit";
  for (std::size_t i = 0; i < drift_.size(); i += 97)
    ASSERT_NEAR(drift_[i], model_[i] + delta_[i] - 0.125F, 1e-6) << i;
  request_.method.options.back().value = 5.0;
  ASSERT_TRUE(train());
  EXPECT_NE(delta_, by_sgd);
  const auto distance = [](const std::vector<float>& values) {
    return std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
  };
  std::vector<float> without_pull(model_.size());
  for (std::size_t i = 0; i < model_.size(); ++i) without_pull[i] = model_[i] + by_sgd[i] - 0.125F;
  EXPECT_LT(distance(drift_), 0.2 * distance(without_pull)) << "the weights are pulled to the anchor";
}

TEST_F(Methods, UnknownMethodsAndVectorsAreRefusedAndNothingIsWritten) {
  anchor_ = model_;
  const auto refused = [&](const char* text) {
    const auto trained = train();
    ASSERT_FALSE(trained);
    EXPECT_EQ(trained.error().code, ErrorCode::refused);
    EXPECT_THAT(trained.error().text(), HasSubstr(text));
    EXPECT_EQ(delta_[0], 42.0F);
    EXPECT_EQ(drift_[0], 42.0F);
  };
  request_.method.name = "unheard";
  refused("method \"unheard\": is not known");
  use_anchored(-1);
  refused("option \"pull\" of method \"anchored\": is out of its range");
  request_.method.options.back().value = 1.0;
  request_.inputs.pop_back();
  refused("has other inputs or outputs");
  request_ = {};
  request_.inputs = {{"model", model_}};
  refused("has other inputs or outputs");
}

TEST_F(Methods, VectorsOfAnotherSizeThanTheModelsAreRefusedAndNothingIsWritten) {
  for (std::vector<float>* vector : {&model_, &anchor_, &delta_, &drift_})
    for (const bool longer : {false, true}) {
      anchor_ = model_;
      const std::vector<float> before = *vector;
      longer ? vector->push_back(42.0F) : vector->pop_back();
      request_.method.options.clear();
      use_anchored(0.5);
      const auto trained = train();
      ASSERT_FALSE(trained);
      EXPECT_EQ(trained.error().code, ErrorCode::model);
      EXPECT_THAT(trained.error().what, HasSubstr("values, but the task's "));
      EXPECT_THAT(delta_, Each(42.0F));
      EXPECT_THAT(drift_, Each(42.0F));
      *vector = before;
    }
}

TEST_F(Methods, AnOutputThatIsNotFiniteFailsTheTraining) {
  anchor_.assign(model_.size(), std::numeric_limits<float>::infinity());
  use_anchored(0);
  const auto trained = train();
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().code, ErrorCode::data);
  EXPECT_EQ(delta_[0], 42.0F);
}

}  // namespace
}  // namespace hansa::learning
