#include "learning/model_check.h"

#include <gmock/gmock.h>
#include <torch/script.h>

#include "learning/model_archive.h"
#include "tests/data/data_files.h"
#include "tests/learning/archives.h"

namespace hansa::learning {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TestModel;

class ModelCheckTest : public ::testing::Test {
 protected:
  std::string refusal(TestModel model) {
    testing::write_archive(model, archive_);
    return refusal();
  }
  std::string refusal() {
    const auto result = check_model(archive_, client_, 8);
    if (result) return "is fit";
    EXPECT_EQ(result.error().text().find('\n'), std::string::npos) << result.error().text();
    EXPECT_FALSE(result.error().hint.empty()) << result.error().text();
    return result.error().text();
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path archive_ = folder_ / "model.pt";
  LocalTrainerConfig client_{.data = testing::write_data(folder_, {})};
};

TEST_F(ModelCheckTest, AUsableModelIsTrainedAndEvaluated) {
  testing::write_archive(TestModel::batch_norm, archive_);
  const auto result = check_model(archive_, client_, 8);
  ASSERT_TRUE(result) << result.error().text();
  EXPECT_EQ(result->examples, 20U);
  EXPECT_GT(result->values, 48U);
  EXPECT_TRUE(mean_of(result->trained, "loss"));
  EXPECT_TRUE(mean_of(result->evaluated, "accuracy"));
  EXPECT_THAT(result->unmoved, IsEmpty())
      << "norm has no gradient behind a linear layer of zeros in the first step";
}

// An adapter begins with one matrix of zeros, so that the other one has no gradient in the first step.
TEST_F(ModelCheckTest, ParametersThatOnlyALaterStepMovesAreNotReported) {
  torch::jit::Module module("m");
  module.register_attribute("training", c10::BoolType::get(), true);
  const auto add = [&](const char* name, const at::Tensor& value) {
    module.register_parameter(name, value.clone().requires_grad_(true), false);
  };
  add("weight", at::zeros({3, 16}));
  add("lora_A", at::ones({2, 16}) * 0.1);
  add("lora_B", at::zeros({3, 2}));
  add("unused", at::ones({2}));
  module.define(R"(
def forward(self, x):
    x = x.flatten(1)
    adapted = torch.linear(torch.linear(x, self.lora_A), self.lora_B)
    return torch.linear(x, self.weight) + adapted + self.unused.sum() * 0.0
)");
  module.save(archive_.string());
  const auto result = check_model(archive_, client_, 8);
  ASSERT_TRUE(result) << result.error().text();
  EXPECT_THAT(result->unmoved, ElementsAre("unused"));
}

TEST_F(ModelCheckTest, ItsOwnLossAndMetricsAreUsed) {
  testing::write_archive(TestModel::custom_loss, archive_);
  const auto result = check_model(archive_, client_, 8);
  ASSERT_TRUE(result) << result.error().text();
  EXPECT_TRUE(mean_of(result->evaluated, "right"));
}

TEST_F(ModelCheckTest, ALossThatBroadcastsIsRefusedAndOneThatComparesEachWithItsTargetIsNot) {
  EXPECT_THAT(refusal(TestModel::broadcasting_loss),
              AllOf(HasSubstr("forward returns [4, 1] for targets [4]"), HasSubstr("they broadcast")));
  testing::write_archive(TestModel::squeezing_loss, archive_);
  const auto result = check_model(archive_, client_, 8);
  ASSERT_TRUE(result) << result.error().text();
  EXPECT_EQ(result->warnings, std::vector<std::string>{});
  testing::write_archive(TestModel::custom_loss, archive_);
  EXPECT_EQ(check_model(archive_, client_, 8).value().warnings, std::vector<std::string>{})
      << "class scores are no predictions of targets";
}

TEST_F(ModelCheckTest, NumbersThatLookLikeLabelsAreAWarning) {
  ASSERT_TRUE(create_built_in("logistic", 1, archive_, {.inputs = 2, .classes = 1}));
  client_.data = {};
  client_.data.kind = "csv";
  client_.data.file = folder_ / "rows.csv";
  client_.data.label = "ill";
  client_.data.target = TargetKind::real;
  testing::write_text(client_.data.file, "a,b,ill\n0.5,1,0\n0.25,2,1\n0.75,-1,1\n");
  EXPECT_THAT(check_model(archive_, client_, 2).value().warnings,
              ElementsAre(HasSubstr("the targets are the numbers 0 and 1")));
  testing::write_text(client_.data.file, "a,b,ill\n0.5,1,0\n0.25,2,1\n0.75,-1,1.5\n");
  EXPECT_EQ(check_model(archive_, client_, 2).value().warnings, std::vector<std::string>{});
}

TEST_F(ModelCheckTest, ErrorsOfUnfitModelsNameThePartOfTheModel) {
  EXPECT_THAT(refusal(TestModel::without_forward), HasSubstr("has no forward(x)"));
  EXPECT_THAT(refusal(TestModel::without_parameters), HasSubstr("has no parameter to train"));
  EXPECT_THAT(refusal(TestModel::double_precision), HasSubstr("call model.float()"));
  EXPECT_THAT(refusal(TestModel::raises), HasSubstr("no examples today"));
  EXPECT_THAT(refusal(TestModel::tuple_output), HasSubstr("forward returns Tuple, not a tensor"));
  EXPECT_THAT(refusal(TestModel::class_output),
              HasSubstr("forward returns integers (Long); return the scores"));
  EXPECT_THAT(refusal(TestModel::argmax_loss), HasSubstr("the loss cannot be differentiated"));
  EXPECT_THAT(refusal(TestModel::vector_loss), HasSubstr("training_loss returns [8], not one number"));
  EXPECT_THAT(refusal(TestModel::bad_metrics), HasSubstr("metrics"));
}

TEST_F(ModelCheckTest, AShapeThatDoesNotFitNamesTheLineOfTheSource) {
  testing::write_archive(TestModel::linear, archive_, {5, 5});
  EXPECT_THAT(refusal(),
              ::testing::ContainsRegex("mat1 and mat2 shapes cannot be multiplied.*:[0-9]+: return "
                                       "torch.linear"));
}

TEST_F(ModelCheckTest, LabelsBeyondTheOutputsAreReported) {
  client_.data = testing::write_data(folder_, {20, 4, 4, 9}, 2);
  EXPECT_THAT(refusal(TestModel::linear), HasSubstr("has 3 outputs, but the labels of "));
}

TEST_F(ModelCheckTest, TheMemoryLimitAndBadDataAreReported) {
  client_.memory_bytes_max = 100;
  EXPECT_THAT(refusal(TestModel::linear), HasSubstr("MiB are allowed"));
  client_.memory_bytes_max = 0;
  std::filesystem::remove(client_.data.labels);
  EXPECT_THAT(refusal(TestModel::linear), HasSubstr("does not exist"));
}

TEST_F(ModelCheckTest, AModelThatDoesNotTrainIsUnfit) {
  // Without biases, images of zeros give no parameter a gradient.
  std::vector<std::uint8_t> images{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 4};
  images.resize(images.size() + 32, 0);
  testing::write_bytes(client_.data.images, images);
  testing::write_bytes(client_.data.labels, {0, 0, 8, 1, 0, 0, 0, 2, 0, 1});
  EXPECT_THAT(refusal(TestModel::two_conv1d), HasSubstr("a training step changed no parameter"));
}

}  // namespace
}  // namespace hansa::learning
