// The built-in models: equal bits for equal seeds, shapes, parameter counts, and training.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <ostream>

#include <gmock/gmock.h>
#include <torch/script.h>

#include "common/digest.h"
#include "common/held_out_metrics.h"
#include "common/random.h"
#include "learning/built_in/initial_values.h"
#include "learning/data/dense_source.h"
#include "learning/evaluation.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "tests/learning/archives.h"
#include "tests/temporary_folder.h"

namespace hansa::learning {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Tokens are below `tokens`. Numbers are normal, and their mean grows with the example's label, or with the pixel's.
Examples random_examples(const ExampleShape& shape, std::size_t count, std::uint64_t tokens) {
  Random random(5);
  Examples out(shape);
  const TensorSpec& target = shape.targets[0];
  auto& labels = out.values<std::int64_t>(1);
  for (std::size_t i = 0; i < count * target.elements(); ++i)
    labels.push_back(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(target.class_count))));
  const std::size_t elements = shape.inputs[0].elements();
  for (std::size_t i = 0; i < count * elements; ++i) {
    if (shape.inputs[0].type == ElementType::int64) {
      out.values<std::int64_t>(0).push_back(static_cast<std::int64_t>(random.below(tokens)));
      continue;
    }
    const std::size_t label = i / elements * target.elements() + i % elements % target.elements();
    out.values<float>(0).push_back(static_cast<float>(
        random.normal() + 2 * static_cast<double>(labels[label]) / static_cast<double>(target.class_count)));
  }
  return out;
}

ExampleShape images(std::int64_t channels, std::int64_t side, TensorSpec target) {
  return one_input({channels, side, side}, std::move(target));
}

ExampleShape tokens(std::int64_t length, TensorSpec target) {
  return {{{"x", ElementType::int64, {length}}}, {std::move(target)}};
}

bool are_finite(const std::vector<float>& values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

class BuiltIn : public ::testing::Test {
 protected:
  ModelDescription create(const std::string& name, std::uint64_t seed = 7, const BuiltInSize& size = {}) {
    auto created = create_built_in(name, seed, archive_, size);
    if (!created) throw std::runtime_error(created.error().text());
    auto described = describe_archive(archive_);
    if (!described) throw std::runtime_error(described.error().text());
    return *std::move(described);
  }
  // Trains the archive's parameters for some epochs in batches of four.
  Result<TrainingResult> train(const Examples& examples, std::uint32_t epochs, double learning_rate,
                               std::optional<HoldOut> hold_out = {}) {
    LocalTrainerConfig config;
    config.supply = supply_data(std::make_shared<DenseSource>("random", examples));
    HANSA_TRY(const ModelDescription model, describe_archive(archive_));
    TrainingRequest request;
    request.archive = archive_;
    request.layout = model.layout.digest();
    request.method = sgd_method({.epochs = epochs, .batch_size = 4, .learning_rate = learning_rate});
    request.seed = 3;
    request.hold_out = hold_out;
    request.own_metrics = model.metric_names;
    delta_.assign(model.parameters.size(), 0);
    return train_on(*make_local_trainer(config), request, model.parameters, delta_);
  }

  TemporaryFolder folder_;
  std::filesystem::path archive_ = folder_ / "model.pt";
  std::vector<float> delta_;
};

// SHA-256 of the initial values as little-endian float32 in layout order, for seed 7. They are equal on every machine,
// and must not change: a federation's operator can then create its model again.
TEST_F(BuiltIn, InitialValuesAreThePublishedOnes) {
  struct Published {
    const char* name;
    const char* digest;
  };
  const std::vector<Published> published{
      {"logistic", "28a80c6cc42c2297321b6bd18afbc291ee85e8f1d15c300a73eb12133704c4dc"},
      {"mlp", "461a45bf63404695d15210e052754ada01643980f432b54e6b485c5c47a4458c"},
      {"cnn-small", "bb8c8e30f11b24f226055132569f461a15cf4497af991f4ffd6b87e3063743c1"},
      {"cnn-mcmahan", "3700c0934541fe5dd61a0a59bd7976f420688aa1ca416f31ec4a17e797b6c588"},
      {"lenet", "4a9b235c990802b8323dcea85f49f23431ba9fa4c3797016bbaeab0eabd85ef8"},
      {"conv1d", "33057e162c63d4dd6ac16a068407f22bbb18b33ec3e500408f1bef429919cf82"},
      {"lstm-char", "b0d18ecebbf907294729428d6fe4b4800a642ab43da3869c808f7221b5869294"},
      {"resnet18", "cc22fc04648ad8fe517ecd8f25d1ee6739784063a97d1494bf24817fa8fb9e16"},
      {"mobilenet-small", "afd865854559171b67f3d82b511ef194f991fee5ee5343afac46d0f6371d803b"},
      {"unet-small", "57360e28b53130c5ae7807ae52b46679397b81745e927d33ebcebd005c9f17a6"},
      {"transformer-tiny", "15a74e1f9620eba5fafa0efe3224c6fec851cce3dd478913c8ab1d7ef726b08d"},
      {"tcn", "3f3a40d91dcf957c261df6aeca495169f6e2312aa658b070f67ec0b7198eb098"},
      {"autoencoder", "c3719c86c9ebffb541275ebb88f1ec18481406aa0664cda12217cf7b18d22c0c"},
  };
  ASSERT_EQ(published.size(), built_in_models().size());
  for (const Published& model : published) {
    const std::vector<float> values = create(model.name).parameters;
    EXPECT_EQ(sha256(std::as_bytes(std::span(values))).text(), std::string("sha256:") + model.digest)
        << model.name;
  }
}

struct ModelCase {
  const char* name;
  std::uint64_t parameters;  // of torch.nn modules of the same layers
  ExampleShape shape;
  double learning_rate;
};

void PrintTo(const ModelCase& model, std::ostream* out) { *out << model.name; }

class BuiltInModelOfList : public BuiltIn, public ::testing::WithParamInterface<ModelCase> {};

TEST_P(BuiltInModelOfList, IsMadeFromASeedAndLearns) {
  const ModelCase& model = GetParam();
  const std::vector<float> values = create(model.name).parameters;
  EXPECT_EQ(values.size(), model.parameters);
  EXPECT_TRUE(are_finite(values));
  EXPECT_NE(create(model.name, 8).parameters, values);
  EXPECT_EQ(create(model.name).parameters, values);

  const Examples examples = random_examples(model.shape, 8, 90);
  const auto first = train(examples, 1, model.learning_rate);
  ASSERT_TRUE(first) << first.error().text();
  const auto last = train(examples, 12, model.learning_rate);
  ASSERT_TRUE(last) << last.error().text();
  EXPECT_LT(mean_of(last->metrics, "loss").value(), 0.9 * mean_of(first->metrics, "loss").value());
  EXPECT_TRUE(are_finite(delta_));
  EXPECT_GT(std::ranges::count_if(delta_, [](float value) { return value != 0; }), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Models, BuiltInModelOfList,
    ::testing::Values(ModelCase{"logistic", 7'850, images(1, 28, class_target(10)), 0.01},
                      ModelCase{"mlp", 101'770, images(1, 28, class_target(10)), 0.05},
                      ModelCase{"cnn-small", 18'378, images(1, 28, class_target(10)), 0.05},
                      ModelCase{"cnn-mcmahan", 1'663'370, images(1, 28, class_target(10)), 0.05},
                      ModelCase{"lenet", 44'426, images(1, 28, class_target(10)), 0.2},
                      ModelCase{"conv1d", 4'866, one_input({1, 64}, class_target(2)), 0.1},
                      ModelCase{"lstm-char", 822'570, tokens(12, class_target(90)), 1},
                      ModelCase{"resnet18", 11'181'642, images(3, 32, class_target(10)), 0.01},
                      ModelCase{"mobilenet-small", 139'114, images(3, 32, class_target(10)), 0.05},
                      ModelCase{"unet-small", 488'018, images(3, 20, class_target(2, {20, 20})), 0.2},
                      ModelCase{"transformer-tiny", 495'104, tokens(16, class_target(256, {16})), 0.1},
                      ModelCase{"tcn", 46'690, one_input({1, 64}, class_target(2)), 0.2},
                      ModelCase{"autoencoder", 2'505, one_input({30}, class_target(2)), 1}),
    [](const auto& test) {
      std::string name = test.param.name;
      std::erase(name, '-');
      return name;
    });

TEST_F(BuiltIn, TakesInputsOfOtherSizes) {
  create("resnet18", 1, {.inputs = 1, .classes = 62});
  EXPECT_THAT(testing::output_shape(archive_, {2, 1, 45, 70}), ElementsAre(2, 62));
  create("mobilenet-small", 1, {.inputs = 4, .classes = 7});
  EXPECT_THAT(testing::output_shape(archive_, {2, 4, 33, 96}), ElementsAre(2, 7));
  create("unet-small", 1, {.inputs = 1, .classes = 5});
  EXPECT_THAT(testing::output_shape(archive_, {2, 1, 8, 8}), ElementsAre(2, 5, 8, 8));
  EXPECT_THAT(testing::output_shape(archive_, {2, 1, 29, 42}), ElementsAre(2, 5, 29, 42));
  create("transformer-tiny", 1, {.classes = 96});
  EXPECT_THAT(testing::output_shape(archive_, {2, 512}), ElementsAre(2, 96, 512));
  create("tcn", 1, {.inputs = 6, .classes = 5});
  EXPECT_THAT(testing::output_shape(archive_, {2, 6, 1}), ElementsAre(2, 5));
  EXPECT_THAT(testing::output_shape(archive_, {2, 6, 300}), ElementsAre(2, 5));
  create("autoencoder", 1, {.inputs = 784});
  EXPECT_THAT(testing::output_shape(archive_, {2, 1, 28, 28}), ElementsAre(2, 1, 28, 28));
  create("autoencoder", 1, {.inputs = 1});
  EXPECT_THAT(testing::output_shape(archive_, {2, 1}), ElementsAre(2, 1));
  const auto classes = create_built_in("autoencoder", 1, archive_, {.classes = 2});
  ASSERT_FALSE(classes);
  EXPECT_THAT(classes.error().text(), HasSubstr("remove --classes"));
}

// A state_dict of torchvision's resnet18 with group normalisation can be loaded: docs/models.md.
TEST_F(BuiltIn, Resnet18HasTorchvisionsNamesAndCount) {
  const ModelDescription model = create("resnet18", 1, {.classes = 1'000});
  EXPECT_EQ(model.layout.element_count(), 11'689'512U);
  EXPECT_THAT(model.layout.text(),
              ::testing::StartsWith("trainable conv1.weight 64 3 7 7\ntrainable bn1.weight 64\n"
                                    "trainable bn1.bias 64\ntrainable layer1.0.conv1.weight 64 64 3 3\n"));
  for (const char* line : {"layer1.1.bn2.bias 64\n", "layer2.0.conv1.weight 128 64 3 3\n",
                           "layer2.0.downsample.0.weight 128 64 1 1\n", "layer2.0.downsample.1.weight 128\n",
                           "layer4.1.conv2.weight 512 512 3 3\n", "fc.weight 1000 512\n", "fc.bias 1000\n"})
    EXPECT_THAT(model.layout.text(), HasSubstr(line));
}

TEST_F(BuiltIn, LaterTokensDoNotChangeEarlierScores) {
  create("transformer-tiny");
  torch::jit::Module module = torch::jit::load(archive_.string());
  const at::Tensor sequence = at::arange(20).reshape({1, 20});
  at::Tensor changed = sequence.clone();
  changed.index_put_({0, 12}, 200);
  const at::NoGradGuard no_gradients;
  const at::Tensor difference =
      (module.forward({sequence}).toTensor() - module.forward({changed}).toTensor()).abs().amax({0, 1});
  EXPECT_LT(difference.slice(0, 0, 12).max().item<float>(), 1e-6F);
  EXPECT_GT(difference.slice(0, 12).min().item<float>(), 1e-6F);
}

// The kind `text` has one label for each window: the character after it.
TEST_F(BuiltIn, TransformerTinyLearnsFromOneLabelForEachWindow) {
  create("transformer-tiny", 7, {.classes = 96});
  const Examples examples = random_examples(tokens(16, class_target(96)), 8, 96);
  const auto first = train(examples, 1, 0.1);
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_NEAR(mean_of(first->metrics, "loss").value(), std::log(96.0), 0.5);
  EXPECT_LT(mean_of(train(examples, 12, 0.1)->metrics, "loss").value(), 4);
}

TEST_F(BuiltIn, TransformerTinyDoesNotCountIgnoredLabels) {
  create("transformer-tiny");
  Examples examples = random_examples(tokens(16, class_target(256, {16})), 4, 256);
  std::ranges::fill(examples.values<std::int64_t>(1), ignored_label);
  const auto trained = train(examples, 1, 0.1);
  ASSERT_TRUE(trained) << trained.error().text();
  EXPECT_EQ(mean_of(trained->metrics, "loss"), 0);
  EXPECT_THAT(delta_, Each(0.0F));
}

TEST_F(BuiltIn, TransformerTinyRefusesMoreTokensThanPositions) {
  create("transformer-tiny");
  const auto trained = train(random_examples(tokens(513, class_target(256, {513})), 1, 256), 1, 0.1);
  ASSERT_FALSE(trained);
  EXPECT_THAT(trained.error().text(), HasSubstr("more tokens than the model has positions"));
}

TEST_F(BuiltIn, AutoencoderDoesNotUseTargets) {
  create("autoencoder");
  const Examples labelled = random_examples(one_input({30}, class_target(2)), 12, 0);
  Examples unlabelled(ExampleShape{labelled.shape.inputs, {}});
  unlabelled.tensors[0] = labelled.tensors[0];
  const auto trained = train(unlabelled, 2, 0.1);
  ASSERT_TRUE(trained) << trained.error().text();
  const std::vector<float> expected = delta_;
  ASSERT_TRUE(train(labelled, 2, 0.1));
  EXPECT_EQ(delta_, expected);
}

// Its output has the form of scores for 30 classes, but is no prediction of the labels.
TEST_F(BuiltIn, AutoencoderReportsItsErrorAndNoAccuracy) {
  create("autoencoder");
  const Examples examples = random_examples(one_input({30}, class_target(2)), 40, 0);
  auto evaluator =
      make_evaluator(ArchiveFile(archive_), std::make_unique<DenseSource>("random", examples), 1, {});
  ASSERT_TRUE(evaluator);
  const auto evaluated = (*evaluator)->evaluate({});
  ASSERT_TRUE(evaluated) << evaluated.error().text();
  ASSERT_EQ(evaluated->size(), 1U);
  EXPECT_EQ(evaluated->front().name, "reconstruction_error");
  EXPECT_EQ(evaluated->front().count, 40);

  const auto trained = train(examples, 1, 0.1, HoldOut{0.25, Measure::yes});
  ASSERT_TRUE(trained) << trained.error().text();
  EXPECT_FALSE(mean_of(trained->metrics, "accuracy"));
  EXPECT_FALSE(mean_of(trained->metrics, held_out_accuracy));
  const auto loss = mean_of(trained->metrics, held_out_loss);
  const auto error = mean_of(trained->metrics, "held_out_own.reconstruction_error");
  ASSERT_TRUE(loss && error);
  EXPECT_NEAR(*loss, *error, 1e-5);
}

TEST(InitialValues, OfANormalDistributionHaveItsMomentsAndTails) {
  std::vector<float> values(1'000'000);
  Random random(1);
  built_in::draw(built_in::normal(2), values, random);
  double mean = 0, square = 0, cube = 0, fourth = 0;
  std::array<double, 4> within{};  // 1, 2, 3 and 4 deviations
  for (const float value : values) {
    const double x = value / 2.0;
    mean += x;
    square += x * x;
    cube += x * x * x;
    fourth += x * x * x * x;
    for (std::size_t i = 0; i < within.size(); ++i)
      within[i] += std::abs(x) < static_cast<double>(i + 1) ? 1 : 0;
  }
  const auto count = static_cast<double>(values.size());
  EXPECT_NEAR(mean / count, 0, 0.004);
  EXPECT_NEAR(square / count, 1, 0.006);
  EXPECT_NEAR(cube / count, 0, 0.016);
  EXPECT_NEAR(fourth / count, 3, 0.04);
  EXPECT_NEAR(within[0] / count, 0.682689, 0.002);
  EXPECT_NEAR(within[1] / count, 0.954500, 0.001);
  EXPECT_NEAR(within[2] / count, 0.997300, 0.0003);
  EXPECT_NEAR(within[3] / count, 0.9999367, 0.00004);
}

}  // namespace
}  // namespace hansa::learning
