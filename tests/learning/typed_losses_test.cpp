// Examples of several typed tensors: which loss and which metrics fit outputs and targets.
#include <algorithm>
#include <utility>

#include <gmock/gmock.h>

#include "tests/learning/typed_examples.h"

namespace hansa::learning {
namespace {

using ::testing::HasSubstr;
using testing::spec;
using torch::jit::Module;
using TypedLosses = testing::TypedExamples;

TEST_F(TypedLosses, ABatchWhoseLabelsAreAllIgnoredCountsNothing) {
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

constexpr const char* of_places = R"(
def forward(self, tokens):
    return torch.linear(torch.embedding(self.embedding, tokens), self.weight)
)";

// The loss is that of torch.nn.functional.ctc_loss in Python (PyTorch 1.13) for the same values.
TEST_F(TypedLosses, SequencesOfLabelsWithALengthAreTrainedWithCtc) {
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

TEST_F(TypedLosses, ATaggerIsTrainedOnALabelForEachToken) {
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

TEST_F(TypedLosses, OneLogitIsForTheLabels0And1) {
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

TEST_F(TypedLosses, OutputsThatMayBeProbabilitiesHaveNoAccuracy) {
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

TEST_F(TypedLosses, SeveralTargetsNeedATrainingLossOfTheModel) {
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

TEST_F(TypedLosses, AnAutoencoderNeedsNoTarget) {
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

TEST_F(TypedLosses, OfATupleTheFirstOutputIsEvaluated) {
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

TEST_F(TypedLosses, NumbersHaveAMeanAbsoluteAndAMeanSquaredError) {
  model("def forward(self, x):\n    return torch.linear(x, self.weight).sum(1)\n");
  data(one_input({4}, real_target()));
  Module loaded = torch::jit::load(archive_.string());
  const at::Tensor error = loaded.forward({tensor(0)}).toTensor() - tensor(1);
  EXPECT_NEAR(mean_of(evaluated(), "mae").value(), error.abs().mean().item<double>(), 1e-5);
  EXPECT_NEAR(mean_of(evaluated(), "mse").value(), error.square().mean().item<double>(), 1e-5);
  EXPECT_FALSE(mean_of(evaluated(), "accuracy"));
}

}  // namespace
}  // namespace hansa::learning
