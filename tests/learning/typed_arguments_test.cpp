// Examples of several typed tensors: which argument of a model gets which one.
#include <gmock/gmock.h>

#include "tests/learning/typed_examples.h"

namespace hansa::learning {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::spec;
using torch::jit::Module;
using TypedArguments = testing::TypedExamples;

constexpr const char* of_tokens_and_mask = R"(
def forward(self, tokens, mask):
    e = torch.embedding(self.embedding, tokens) * mask.unsqueeze(-1).float()
    return torch.linear(e.sum(1), self.weight)
)";

TEST_F(TypedArguments, AnArgumentGetsTheTensorOfItsName) {
  model(of_tokens_and_mask);
  data({{spec("mask", ElementType::boolean, {6}), spec("tokens", ElementType::int64, {6})},
        {class_target(3)}});
  expect_trained_as([&](Module& m) {
    return at::cross_entropy_loss(m.forward({tensor(1), tensor(0)}).toTensor(), tensor(2));
  });
}

TEST_F(TypedArguments, ArgumentsOfOtherNamesGetTheTensorsInTheirOrder) {
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

TEST_F(TypedArguments, ADictionaryGetsAllInputs) {
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

TEST_F(TypedArguments, ADictionaryOfTargetsGetsThemAndForwardGetsNone) {
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

TEST_F(TypedArguments, ArgumentsWithADefaultValueNeedNoTensor) {
  model(R"(
def forward(self, x, scale: float = 2.0, other: Optional[Tensor] = None):
    return torch.linear(x, self.weight) * scale
)");
  data(one_input({4}, class_target(3)));
  expect_trained_as(
      [&](Module& m) { return at::cross_entropy_loss(m.forward({tensor(0)}).toTensor(), tensor(1)); });
}

TEST_F(TypedArguments, AnArgumentThatGetsNothingIsNamedWithWhatTheDataHas) {
  model(of_tokens_and_mask);
  data({{spec("tokens", ElementType::int64, {6})}, {class_target(3)}});
  EXPECT_THAT(refusal(), HasSubstr("forward needs `mask: Tensor`; the data has `tokens`: int64 [6]"));
  model("def forward(self, x, times: int):\n    return torch.linear(x, self.weight) * times\n");
  data(one_input({4}, class_target(3)));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("forward needs `times: int`"), HasSubstr("a default value")));
}

TEST_F(TypedArguments, AnInputThatNoArgumentTakesIsNamed) {
  model("def forward(self, x):\n    return torch.linear(x, self.weight)\n");
  data({{spec("x", ElementType::float32, {4}), spec("age", ElementType::float32, {1})}, {class_target(3)}});
  EXPECT_THAT(refusal(), HasSubstr("forward has no argument for the input `age`: float32 [1]"));
}

TEST_F(TypedArguments, WhatSaysWhichPlacesAreFilledMayBeLeftOut) {
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

}  // namespace
}  // namespace hansa::learning
