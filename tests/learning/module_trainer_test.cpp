// A module of the linking program trains as its archive would, or is refused naming the difference.
#include <gmock/gmock.h>
#include <torch/torch.h>

#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "learning/module_trainer.h"
#include "tests/data/data_files.h"
#include "tests/learning/archives.h"

namespace hansa::learning {
namespace {

using ::testing::HasSubstr;
using testing::TemporaryFolder;

// The built-in model "mlp" for these images, in C++.
struct Net : torch::nn::Module {
  explicit Net(std::int64_t hidden = 128) {
    fc1 = register_module("fc1", torch::nn::Linear(784, hidden));
    fc2 = register_module("fc2", torch::nn::Linear(hidden, 10));
  }
  torch::Tensor forward(const torch::Tensor& x) { return fc2(torch::relu(fc1(x.flatten(1)))); }
  torch::nn::Linear fc1{nullptr}, fc2{nullptr};
};

class ModuleTrainer : public ::testing::Test {
 protected:
  ModuleTrainer() {
    config_.data = testing::write_data(folder_, {60, 28, 28, 10}, 1);
    EXPECT_TRUE(create_built_in("mlp", 3, archive_));
    const auto facts = describe_archive(archive_);
    EXPECT_TRUE(facts) << facts.error().text();
    global_ = facts->parameters;
    request_.archive = archive_;
    request_.layout = facts->layout.digest();
    request_.method = sgd_method({.epochs = 2, .batch_size = 10});
    request_.seed = 7;
  }
  TemporaryFolder folder_;
  std::filesystem::path archive_ = folder_ / "model.pt";
  LocalTrainerConfig config_;
  TrainingRequest request_;
  std::vector<float> global_;
};

TEST_F(ModuleTrainer, TrainsLikeTheArchiveAndTheModuleHoldsTheResult) {
  std::vector<float> of_archive(global_.size()), of_module(global_.size());
  ASSERT_TRUE(train_on(*make_local_trainer(config_), request_, global_, of_archive));
  const auto net = std::make_shared<Net>();
  const auto trainer = make_module_trainer(own_module(net), config_);
  const auto trained = train_on(*trainer, request_, global_, of_module);
  ASSERT_TRUE(trained) << trained.error().text();
  EXPECT_EQ(trained->examples, 60U);
  EXPECT_EQ(of_archive, of_module);
  EXPECT_FLOAT_EQ(net->fc1->weight.flatten()[0].item<float>(), global_[0] + of_module[0]);
}

// TestModel::batch_norm in C++.
struct NormNet : torch::nn::Module {
  NormNet() {
    norm = register_module("norm", torch::nn::BatchNorm1d(784));
    weight = register_parameter("weight", torch::zeros({3, 784}));
    bias = register_parameter("bias", torch::zeros({3}));
  }
  torch::Tensor forward(const torch::Tensor& x) { return torch::linear(norm(x.flatten(1)), weight, bias); }
  torch::nn::BatchNorm1d norm{nullptr};
  torch::Tensor weight, bias;
};

TEST_F(ModuleTrainer, TheArchiveSaysWhichLayersNormalise) {
  testing::write_archive(testing::TestModel::batch_norm, archive_, {28, 28});
  config_.data = testing::write_data(folder_, {60, 28, 28, 3}, 2);
  const std::vector<std::string> normalisation{"@normalisation"};
  const auto shared = describe_archive(archive_, normalisation);
  ASSERT_TRUE(shared) << shared.error().text();
  ASSERT_EQ(shared->layout.entries().size(), 2U);
  request_.layout = shared->layout.digest();
  request_.method.name = "fedbn";
  std::vector<float> of_archive(shared->parameters.size()), of_module(shared->parameters.size());
  const auto expected = train_on(*make_local_trainer(config_), request_, shared->parameters, of_archive);
  ASSERT_TRUE(expected) << expected.error().text();
  const auto trained = train_on(*make_module_trainer(own_module(std::make_shared<NormNet>()), config_),
                                request_, shared->parameters, of_module);
  ASSERT_TRUE(trained) << trained.error().text();
  for (std::size_t i = 0; i < of_archive.size(); ++i) ASSERT_NEAR(of_module[i], of_archive[i], 1e-5) << i;
  ASSERT_EQ(trained->kept.size(), 1U);
  EXPECT_EQ(trained->kept.begin()->second.values().size(), 4 * 784U);
  EXPECT_EQ(trained->kept.begin()->first, expected->kept.begin()->first) << "the same personal layout";
}

TEST_F(ModuleTrainer, ItsOwnLossIsUsed) {
  auto own = own_module(std::make_shared<Net>());
  int calls = 0;
  const auto forward = own.forward;
  own.training_loss = [&calls, forward](const torch::Tensor& x, const torch::Tensor& y) {
    ++calls;
    return torch::nn::functional::cross_entropy(forward(x), y) * 0.5;
  };
  std::vector<float> plain(global_.size()), halved(global_.size());
  request_.method = sgd_method({.epochs = 1, .batch_size = 10, .steps_max = 1});
  ASSERT_TRUE(train_on(*make_local_trainer(config_), request_, global_, plain));
  const auto trained = train_on(*make_module_trainer(own, config_), request_, global_, halved);
  ASSERT_TRUE(trained) << trained.error().text();
  EXPECT_EQ(calls, 1);
  for (std::size_t i = 0; i < plain.size(); i += 997) EXPECT_NEAR(halved[i], plain[i] / 2, 1e-7) << i;
}

TEST_F(ModuleTrainer, AModuleOfAnotherShapeIsRefusedNamingTheParameter) {
  std::vector<float> delta(global_.size(), 1.0F);
  const auto trained = train_on(*make_module_trainer(own_module(std::make_shared<Net>(64)), config_),
                                request_, global_, delta);
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().code, ErrorCode::model);
  EXPECT_THAT(trained.error().text(), HasSubstr("fc1.weight"));
}

}  // namespace
}  // namespace hansa::learning
