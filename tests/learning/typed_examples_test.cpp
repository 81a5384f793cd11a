// Examples of several typed tensors: which argument gets what, and which loss and accuracy fit.
#include <functional>
#include <utility>

#include <gmock/gmock.h>
#include <torch/script.h>

#include "learning/data/dense_source.h"
#include "learning/data_supply.h"
#include "learning/evaluation.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "tests/data/data_files.h"

namespace hansa::learning {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using torch::jit::Module;

constexpr std::int64_t examples = 12;

TensorSpec spec(std::string name, ElementType type, std::vector<std::int64_t> shape,
                std::int64_t classes = 0) {
  return {std::move(name), type, std::move(shape), classes};
}

// Deterministic values, different for each tensor.
Examples make_examples(const ExampleShape& shape) {
  Examples out(shape);
  for (std::size_t t = 0; t < shape.size(); ++t) {
    const std::size_t count = examples * shape[t].elements();
    const std::int64_t limit = shape[t].class_count > 0 ? shape[t].class_count : 5;
    std::visit(
        [&](auto& values) {
          using Value = typename std::decay_t<decltype(values)>::value_type;
          for (std::size_t i = 0; i < count; ++i) {
            if constexpr (std::is_floating_point_v<Value>)
              values.push_back(std::sin(0.7F * static_cast<float>(i + 3 * t)));
            else if (shape[t].type == ElementType::boolean) values.push_back(static_cast<Value>(i % 3 != 0));
            else values.push_back(static_cast<Value>((i + t) % static_cast<std::size_t>(limit)));
          }
        },
        out.tensors[t]);
  }
  return out;
}

class TypedExamples : public ::testing::Test {
 protected:
  // An embedding of 5 x 4, a weight of 3 x 4 and methods in TorchScript.
  void model(const std::string& methods) {
    Module module("m");
    module.register_attribute("training", c10::BoolType::get(), true);
    const auto ramp = [](std::vector<std::int64_t> sizes, std::int64_t count) {
      return (at::arange(count, at::kFloat) * 0.9).sin().reshape(sizes).requires_grad_(true);
    };
    module.register_parameter("embedding", ramp({5, 4}, 20), false);
    module.register_parameter("weight", ramp({3, 4}, 12), false);
    module.define(methods);
    module.save(archive_.string());
  }
  void data(const ExampleShape& shape) { examples_ = make_examples(shape); }

  Result<TrainingResult> train() {
    LocalTrainerConfig config;
    config.supply = supply_data(std::make_shared<DenseSource>("rows", examples_));
    HANSA_TRY(const auto described, describe_archive(archive_));
    TrainingRequest request;
    request.archive = archive_;
    request.layout = described.layout.digest();
    request.method = sgd_method({.epochs = 1, .batch_size = examples, .learning_rate = 0.5});
    delta_.assign(described.parameters.size(), 0);
    return train_on(*make_local_trainer(config), request, described.parameters, delta_);
  }
  std::string refusal() {
    const auto trained = train();
    return trained ? "was trained" : trained.error().text();
  }
  Metrics evaluated() {
    auto evaluator =
        make_evaluator(ArchiveFile(archive_), std::make_unique<DenseSource>("rows", examples_), 1, {});
    if (!evaluator) throw std::runtime_error(evaluator.error().text());
    auto metrics = (*evaluator)->evaluate({});
    if (!metrics) throw std::runtime_error(metrics.error().text());
    return *metrics;
  }
  // The delta after one step on all examples, by PyTorch's own methods. loss(module) -> tensor
  std::vector<float> expected(const std::function<at::Tensor(Module&)>& loss) const {
    Module module = torch::jit::load(archive_.string());
    std::vector<at::Tensor> parameters;
    for (const at::Tensor& parameter : module.parameters()) parameters.push_back(parameter);
    loss(module).backward();
    std::vector<float> out;
    for (const at::Tensor& parameter : parameters) {
      const at::Tensor step =
          (parameter.grad().defined() ? -0.5 * parameter.grad() : at::zeros_like(parameter)).contiguous();
      out.insert(out.end(), step.data_ptr<float>(), step.data_ptr<float>() + step.numel());
    }
    return out;
  }
  // Tensor t of all examples.
  at::Tensor tensor(std::size_t t) {
    std::vector<std::int64_t> sizes{examples};
    const TensorSpec& of = examples_.shape[t];
    sizes.insert(sizes.end(), of.shape.begin(), of.shape.end());
    const auto* bytes = bytes_of(examples_.tensors[t]).data();
    const at::ScalarType types[] = {at::kFloat, at::kByte, at::kInt, at::kLong, at::kBool};
    return at::from_blob(const_cast<std::byte*>(bytes), sizes, types[static_cast<std::size_t>(of.type)])
        .clone();
  }
  void expect_trained_as(const std::function<at::Tensor(Module&)>& loss) {
    const auto trained = train();
    ASSERT_TRUE(trained) << trained.error().text();
    const std::vector<float> wanted = expected(loss);
    ASSERT_EQ(delta_.size(), wanted.size());
    float moved = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_NEAR(delta_[i], wanted[i], 1e-5) << i;
      moved = std::max(moved, std::abs(wanted[i]));
    }
    EXPECT_GT(moved, 1e-3) << "a test that moves nothing shows nothing";
  }

  const testing::TemporaryFolder folder_;
  const std::filesystem::path archive_ = folder_ / "model.pt";
  Examples examples_;
  std::vector<float> delta_;
};

constexpr const char* of_tokens_and_mask = R"(
def forward(self, tokens, mask):
    e = torch.embedding(self.embedding, tokens) * mask.unsqueeze(-1).float()
    return torch.linear(e.sum(1), self.weight)
)";

TEST_F(TypedExamples, AnArgumentGetsTheTensorOfItsName) {
  model(of_tokens_and_mask);
  data({{spec("mask", ElementType::boolean, {6}), spec("tokens", ElementType::int64, {6})},
        {class_target(3)}});
  expect_trained_as([&](Module& m) {
    return at::cross_entropy_loss(m.forward({tensor(1), tensor(0)}).toTensor(), tensor(2));
  });
}

TEST_F(TypedExamples, ArgumentsOfOtherNamesGetTheTensorsInTheirOrder) {
  model(R"(
def forward(self, input, valid):
    e = torch.embedding(self.embedding, input) * valid.unsqueeze(-1).float()
    return torch.linear(e.sum(1), self.weight)
)");
  data({{spec("tokens", ElementType::int32, {6}), spec("mask", ElementType::uint8, {6})}, {class_target(3)}});
  expect_trained_as([&](Module& m) {
    return at::cross_entropy_loss(m.forward({tensor(0), tensor(1)}).toTensor(), tensor(2));
  });
}

TEST_F(TypedExamples, ADictionaryGetsAllInputs) {
  model(R"(
def forward(self, inputs: Dict[str, Tensor]):
    e = torch.embedding(self.embedding, inputs["tokens"]).sum(1)
    return torch.linear(e, self.weight) * inputs["age"]
)");
  data(
      {{spec("age", ElementType::float32, {1}), spec("tokens", ElementType::int64, {6})}, {class_target(3)}});
  expect_trained_as([&](Module& m) {
    c10::Dict<std::string, at::Tensor> inputs;
    inputs.insert("age", tensor(0));
    inputs.insert("tokens", tensor(1));
    return at::cross_entropy_loss(m.forward({inputs}).toTensor(), tensor(2));
  });
}

TEST_F(TypedExamples, ADictionaryOfTargetsGetsThemAndForwardGetsNone) {
  data({{spec("x", ElementType::float32, {4})}, {class_target(3), {"y_size", ElementType::float32, {}, 0}}});
  for (const char* arguments : {"x, targets: Dict[str, Tensor]", "x, wanted: Dict[str, Tensor]"}) {
    const std::string name =
        std::string(arguments).find("wanted") == std::string::npos ? "targets" : "wanted";
    model("def forward(self, x):\n    return torch.linear(x, self.weight)\ndef training_loss(self, " +
          std::string(arguments) + "):\n    s = self.forward(x)\n    return torch.cross_entropy_loss(s, " +
          name + "[\"y\"]) + (s.sum(1) - " + name + "[\"y_size\"]).pow(2).mean()\n");
    expect_trained_as([&](Module& m) {
      c10::Dict<std::string, at::Tensor> targets;
      targets.insert("y", tensor(1));
      targets.insert("y_size", tensor(2));
      return m.get_method("training_loss")({tensor(0), targets}).toTensor();
    });
  }
  model(
      "def forward(self, features: List[Tensor], masks: List[Tensor]):\n    return torch.linear(features[0], "
      "self.weight)\n");
  EXPECT_THAT(refusal(), HasSubstr("forward needs `masks: List[Tensor]`")) << "labels are no inputs";
}

TEST_F(TypedExamples, ABatchWhoseLabelsAreAllIgnoredCountsNothing) {
  model(
      "def forward(self, tokens):\n    return torch.linear(torch.embedding(self.embedding, tokens), "
      "self.weight)\n");
  data({{spec("tokens", ElementType::int64, {6})}, {class_target(3, {6})}});
  for (std::int64_t& label : examples_.values<std::int64_t>(1)) label = ignored_label;
  const auto trained = train();
  ASSERT_TRUE(trained) << trained.error().text();
  EXPECT_EQ(mean_of(trained->metrics, "loss"), 0.0);
  EXPECT_TRUE(std::ranges::all_of(delta_, [](float value) { return value == 0; }));
}

TEST_F(TypedExamples, ArgumentsWithADefaultValueNeedNoTensor) {
  model(R"(
def forward(self, x, scale: float = 2.0, other: Optional[Tensor] = None):
    return torch.linear(x, self.weight) * scale
)");
  data(one_input({4}, class_target(3)));
  expect_trained_as(
      [&](Module& m) { return at::cross_entropy_loss(m.forward({tensor(0)}).toTensor(), tensor(1)); });
}

TEST_F(TypedExamples, AnArgumentThatGetsNothingIsNamedWithWhatTheDataHas) {
  model(of_tokens_and_mask);
  data({{spec("tokens", ElementType::int64, {6})}, {class_target(3)}});
  EXPECT_THAT(refusal(), HasSubstr("forward needs `mask: Tensor`; the data has `tokens`: int64 [6]"));
  model("def forward(self, x, times: int):\n    return torch.linear(x, self.weight) * times\n");
  data(one_input({4}, class_target(3)));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("forward needs `times: int`"), HasSubstr("a default value")));
}

TEST_F(TypedExamples, AnInputThatNoArgumentTakesIsNamed) {
  model("def forward(self, x):\n    return torch.linear(x, self.weight)\n");
  data({{spec("x", ElementType::float32, {4}), spec("age", ElementType::float32, {1})}, {class_target(3)}});
  EXPECT_THAT(refusal(), HasSubstr("forward has no argument for the input `age`: float32 [1]"));
}

TEST_F(TypedExamples, WhatSaysWhichPlacesAreFilledMayBeLeftOut) {
  const auto sequence = [&](const std::string& other) {
    data({{spec("tokens", ElementType::int64, {6}), spec(other, ElementType::int64, {})}, {class_target(3)}});
  };
  model(R"(
def forward(self, tokens):
    return torch.linear(torch.embedding(self.embedding, tokens).sum(1), self.weight)
)");
  for (const char* other : {"tokens_length", "tokens_mask"}) {
    sequence(other);
    EXPECT_EQ(refusal(), "was trained") << other;
  }
  sequence("words_length");
  EXPECT_THAT(refusal(), HasSubstr("forward has no argument for the input `words_length`"));
  model(R"(
def forward(self, tokens, tokens_length):
    e = torch.embedding(self.embedding, tokens).sum(1) / (tokens_length + 1).unsqueeze(1).float()
    return torch.linear(e, self.weight)
)");
  sequence("tokens_length");
  expect_trained_as([&](Module& m) {
    return at::cross_entropy_loss(m.forward({tensor(0), tensor(1)}).toTensor(), tensor(2));
  });
}

constexpr const char* of_places = R"(
def forward(self, tokens):
    return torch.linear(torch.embedding(self.embedding, tokens), self.weight)
)";

// The loss is that of torch.nn.functional.ctc_loss in Python (PyTorch 1.13) for the same values.
TEST_F(TypedExamples, SequencesOfLabelsWithALengthAreTrainedWithCtc) {
  model(of_places);
  data({{spec("tokens", ElementType::int64, {6})},
        {spec("y", ElementType::int64, {3}, 3), spec("y_length", ElementType::int64, {}, 4)}});
  std::vector<std::int64_t>& labels = examples_.values<std::int64_t>(1);
  std::vector<std::int64_t>& lengths = examples_.values<std::int64_t>(2);
  for (std::int64_t i = 0; i < examples; ++i) {
    const std::int64_t length = i % 4;
    const std::int64_t row[] = {1 + i % 2, 2 - i % 2, 1};
    lengths[static_cast<std::size_t>(i)] = length;
    for (std::int64_t j = 0; j < 3; ++j)
      labels[static_cast<std::size_t>(3 * i + j)] = j < length ? row[j] : ignored_label;
  }
  expect_trained_as([&](Module& m) {
    const at::Tensor scores = m.forward({tensor(0)}).toTensor().log_softmax(2).transpose(0, 1);
    return at::ctc_loss(scores, tensor(1), at::full({examples}, 6, at::kLong), tensor(2));
  });
  const auto trained = train();
  ASSERT_TRUE(trained) << trained.error().text();
  ASSERT_EQ(trained->metrics.size(), 1U) << "no accuracy";
  EXPECT_NEAR(trained->metrics[0].sum / trained->metrics[0].count, 5.243567, 1e-5);
  EXPECT_NEAR(evaluated()[0].sum / examples, 5.243567, 1e-5);

  const std::int64_t kept = std::exchange(labels[3], 0);
  EXPECT_THAT(refusal(), HasSubstr("class 0 is the blank of CTC: number the labels from 1"));
  labels[3] = kept;
  lengths[0] = 4;
  EXPECT_THAT(refusal(), HasSubstr("has 6 places for up to 4 labels, of which the data has room for 3"));
  lengths[0] = 0;
  model(R"(
def forward(self, tokens):
    return torch.linear(torch.embedding(self.embedding, tokens).sum(1), self.weight)
)");
  EXPECT_THAT(refusal(), HasSubstr("forward returns [12, 3] for sequences of labels [12, 3], but CTC needs "
                                   "[examples, places, classes]"));
}

TEST_F(TypedExamples, ATaggerIsTrainedOnALabelForEachToken) {
  data({{spec("tokens", ElementType::int64, {6})}, {class_target(3, {6})}});
  examples_.values<std::int64_t>(1)[4] = ignored_label;
  for (const bool classes_last : {true, false}) {
    model(std::string("def forward(self, tokens):\n"
                      "    scores = torch.linear(torch.embedding(self.embedding, tokens), self.weight)\n"
                      "    return ") +
          (classes_last ? "scores\n" : "scores.transpose(1, 2)\n"));
    expect_trained_as([&](Module& m) {
      const at::Tensor scores = m.forward({tensor(0)}).toTensor();
      return at::cross_entropy_loss(classes_last ? scores.transpose(1, 2) : scores, tensor(1));
    });
    const Metrics metrics = evaluated();
    ASSERT_EQ(metrics.size(), 2U);
    EXPECT_EQ(metrics[1].name, "accuracy");
    EXPECT_EQ(metrics[1].count, 6.0 * examples - 1) << "an ignored label does not count";
  }
}

TEST_F(TypedExamples, OneLogitIsForTheLabels0And1) {
  model("def forward(self, x):\n    return torch.linear(x, self.weight).sum(1, keepdim=True) * 4.0 - 1.0\n");
  data(one_input({4}, class_target(2)));
  expect_trained_as([&](Module& m) {
    return at::binary_cross_entropy_with_logits(m.forward({tensor(0)}).toTensor().squeeze(1),
                                                tensor(1).to(at::kFloat), {}, {}, at::Reduction::Mean);
  });
  Module loaded = torch::jit::load(archive_.string());
  const at::Tensor right =
      loaded.forward({tensor(0)}).toTensor().squeeze(1).gt(0).eq(tensor(1).to(at::kBool));
  EXPECT_EQ(mean_of(evaluated(), "accuracy"), right.sum().item<double>() / examples) << "the threshold is 0";
  data(one_input({4}, class_target(3)));
  EXPECT_THAT(refusal(), HasSubstr("has 1 output, but the labels of rows go up to 2"));
}

TEST_F(TypedExamples, OutputsThatMayBeProbabilitiesHaveNoAccuracy) {
  const char* loss = R"(
def training_loss(self, x, y):
    return torch.binary_cross_entropy(self.forward(x)[:, 0], y.float())
)";
  data(one_input({4}, class_target(2)));
  model(std::string("def forward(self, x):\n    return torch.sigmoid(torch.linear(x, self.weight).sum(1, "
                    "keepdim=True))\n") +
        loss);
  ASSERT_TRUE(train());
  EXPECT_FALSE(mean_of(evaluated(), "accuracy"));
  model(R"(
def forward(self, x):
    return torch.linear(x, self.weight).sum(1, keepdim=True)
def training_loss(self, x, y):
    return torch.binary_cross_entropy_with_logits(self.forward(x)[:, 0], y.float())
)");
  ASSERT_TRUE(train());
  EXPECT_TRUE(mean_of(evaluated(), "accuracy")) << "logits are below 0 or above 1";
}

TEST_F(TypedExamples, SeveralTargetsNeedATrainingLossOfTheModel) {
  const ExampleShape shape{{spec("x", ElementType::float32, {4})},
                           {class_target(3), {"y_size", ElementType::float32, {}, 0}}};
  data(shape);
  model("def forward(self, x):\n    return torch.linear(x, self.weight)\n");
  EXPECT_THAT(refusal(),
              HasSubstr("has no training_loss for the targets `y`: int64 [], `y_size`: float32 []"));
  model(R"(
def forward(self, x):
    return torch.linear(x, self.weight)
def training_loss(self, x, y_size, y):
    scores = self.forward(x)
    return torch.cross_entropy_loss(scores, y) + (scores.sum(1) - y_size).pow(2).mean()
)");
  expect_trained_as([&](Module& m) {
    return m.get_method("training_loss")({tensor(0), tensor(2), tensor(1)}).toTensor();
  });
}

TEST_F(TypedExamples, AnAutoencoderNeedsNoTarget) {
  data({{spec("x", ElementType::float32, {4})}, {}});
  model("def forward(self, x):\n    return torch.linear(torch.linear(x, self.weight), self.weight.t())\n");
  EXPECT_THAT(refusal(), HasSubstr("has no training_loss, and the data has no target"));
  model(R"(
def forward(self, x):
    return torch.linear(torch.linear(x, self.weight), self.weight.t())
def training_loss(self, x):
    return (self.forward(x) - x).pow(2).mean()
)");
  expect_trained_as([&](Module& m) { return m.get_method("training_loss")({tensor(0)}).toTensor(); });
  EXPECT_EQ(evaluated().size(), 1U) << "its loss";
}

TEST_F(TypedExamples, OfATupleTheFirstOutputIsEvaluated) {
  model(R"(
def forward(self, x):
    return torch.linear(x, self.weight), x
def training_loss(self, x, y):
    return torch.cross_entropy_loss(self.forward(x)[0], y)
)");
  data(one_input({4}, class_target(3)));
  ASSERT_TRUE(train());
  EXPECT_TRUE(mean_of(evaluated(), "accuracy"));
  EXPECT_TRUE(mean_of(evaluated(), "loss"));
}

TEST_F(TypedExamples, NumbersHaveAMeanAbsoluteAndAMeanSquaredError) {
  model("def forward(self, x):\n    return torch.linear(x, self.weight).sum(1)\n");
  data(one_input({4}, real_target()));
  Module loaded = torch::jit::load(archive_.string());
  const at::Tensor error = loaded.forward({tensor(0)}).toTensor() - tensor(1);
  EXPECT_NEAR(mean_of(evaluated(), "mae").value(), error.abs().mean().item<double>(), 1e-5);
  EXPECT_NEAR(mean_of(evaluated(), "mse").value(), error.square().mean().item<double>(), 1e-5);
  EXPECT_FALSE(mean_of(evaluated(), "accuracy"));
}

// Weights and images are in channels-last order here, which the code of most tutorials does not expect.
class TutorialView : public TypedExamples {
 protected:
  void convolution(const std::string& forward) {
    Module module("m");
    module.register_attribute("training", c10::BoolType::get(), true);
    const auto ramp = [](std::vector<std::int64_t> sizes, std::int64_t count) {
      return (at::arange(count, at::kFloat) * 0.9).sin().reshape(sizes).requires_grad_(true);
    };
    module.register_parameter("filters", ramp({2, 3, 3, 3}, 54), false);
    module.register_parameter("weight", ramp({3, 32}, 96), false);
    module.define(forward);
    module.save(archive_.string());
    data(one_input({3, 6, 6}, class_target(3)));
  }
};

TEST_F(TutorialView, ViewsBehindAConvolutionAndOfWeightsAreTrainedAsInPyTorch) {
  for (const char* view : {"h.view(-1, 32)", "h.view(h.size(0), -1)", "h.view([h.size(0), 2 * 16])"}) {
    convolution(std::string("def forward(self, x):\n"
                            "    h = torch.relu(torch.conv2d(x, self.filters))\n"
                            "    w = self.filters.view(2, -1)\n"
                            "    return torch.linear(") +
                view + ", self.weight) + w.sum()\n");
    expect_trained_as(
        [&](Module& m) { return at::cross_entropy_loss(m.forward({tensor(0)}).toTensor(), tensor(1)); });
  }
}

// reshape() would copy, and what is written to the copy would be lost.
TEST_F(TutorialView, AViewThatIsWrittenToStaysAView) {
  convolution(R"(
def forward(self, x):
    h = torch.relu(torch.conv2d(x, self.filters)) * 1.0
    rows = h.view(h.size(0), 2, 16)
    rows.mul_(3.0)
    return torch.linear(torch.flatten(h, 1), self.weight)
)");
  const auto trained = train();
  if (!trained) return;  // refused by PyTorch, and not silently wrong
  const std::vector<float> wanted = expected(
      [&](Module& m) { return at::cross_entropy_loss(m.forward({tensor(0)}).toTensor(), tensor(1)); });
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(delta_[i], wanted[i], 1e-4) << i;
}

}  // namespace
}  // namespace hansa::learning
