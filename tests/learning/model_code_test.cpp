// What a model's code does with its buffers, its modes and random numbers, and what else people give as a model.
#include <limits>
#include <memory>
#include <utility>

#include <gmock/gmock.h>
#include <torch/script.h>

#include "learning/data/dense_source.h"
#include "learning/data_supply.h"
#include "learning/evaluation.h"
#include "learning/internal/loaded_model.h"
#include "learning/internal/model_file.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "tests/data/data_files.h"

namespace hansa::learning {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using torch::jit::Module;

class ModelCode : public ::testing::Test {
 protected:
  ModelCode() {
    module_.register_attribute("training", c10::BoolType::get(), true);
    module_.register_parameter(
        "weight", (at::arange(12, at::kFloat) * 0.9).sin().reshape({3, 4}).requires_grad_(true), false);
  }
  void define(const std::string& methods) {
    module_.define(methods);
    module_.save(archive_.string());
  }
  std::vector<std::string> sent() const {
    std::vector<std::string> out;
    const auto described = describe_archive(archive_);
    if (!described) throw std::runtime_error(described.error().text());
    for (const ParameterEntry& entry : described->layout.entries()) out.push_back(entry.name);
    return out;
  }
  // The delta of one epoch on 12 rows of 4 numbers.
  Result<std::vector<float>> train(std::uint64_t seed = 5, std::vector<std::int64_t> shape = {4}) {
    Examples rows(one_input(shape, class_target(3)));
    const std::size_t values = 12 * rows.shape.inputs[0].elements();
    for (std::size_t i = 0; i < values; ++i)
      rows.values<float>(0).push_back(std::sin(0.7F * static_cast<float>(i)));
    for (std::int64_t i = 0; i < 12; ++i) rows.values<std::int64_t>(1).push_back(i % 3);
    LocalTrainerConfig config;
    config.supply = supply_data(std::make_shared<DenseSource>("rows", std::move(rows)));
    HANSA_TRY(const auto described, describe_archive(archive_));
    TrainingRequest request;
    request.archive = archive_;
    request.layout = described.layout.digest();
    request.method = sgd_method({.epochs = 2, .batch_size = 4, .learning_rate = 0.1});
    request.seed = seed;
    std::vector<float> delta(described.parameters.size());
    HANSA_TRY_VOID(train_on(*make_local_trainer(config), request, described.parameters, delta));
    return delta;
  }

  const testing::TemporaryFolder folder_;
  const std::filesystem::path archive_ = folder_ / "model.pt";
  Module module_{"m"};
};

TEST_F(ModelCode, BuffersThatNoCodeWritesAreNotSentAndMayHoldInfinity) {
  module_.register_buffer("table", at::full({4}, 3.0F).to(at::kDouble));
  module_.register_buffer("moving", at::zeros({3}));
  module_.register_buffer("replaced", at::zeros({1}));
  module_.register_buffer("mask", at::tensor({0.0F, -std::numeric_limits<float>::infinity(), 0.0F}));
  define(R"(
def forward(self, x):
    scores = torch.linear(x * self.table.float(), self.weight) + self.mask.unsqueeze(0).clamp(-5.0, 0.0)
    if self.training:
        self.moving.mul_(0.9).add_(scores.detach().mean(0) * 0.1)
        self.replaced = scores.detach().mean().reshape(1)
    return scores - self.moving
)");
  EXPECT_THAT(sent(), ElementsAre("weight", "moving", "replaced"));
  const auto delta = train();
  ASSERT_TRUE(delta) << delta.error().text();
  EXPECT_NE((*delta)[12], 0) << "what the code writes in place is sent";
  EXPECT_NE((*delta)[15], 0) << "and so is what it assigns";
}

TEST_F(ModelCode, TheNamesOfItsMetricsAreThoseInItsCode) {
  define(R"(
def forward(self, x):
    return torch.linear(x, self.weight)
def metrics(self, x, y) -> Dict[str, Tuple[float, float]]:
    scores = self.forward(x)
    out = {"margin": (float(scores.amax()), 1.0), "loss": (0.0, 1.0)}
    if scores.size(1) > 1:
        out["spread"] = (float(scores.std()), 1.0)
        out["margin"] = (0.0, 1.0)
    return out
)");
  const auto described = describe_archive(archive_);
  ASSERT_TRUE(described) << described.error().text();
  EXPECT_THAT(described->metric_names, ElementsAre("margin", "loss", "spread"));
}

TEST_F(ModelCode, AModelWhoseMetricsTakeOtherArgumentsIsEvaluatedWithoutThem) {
  Examples rows(one_input({4}, class_target(3)));
  for (int i = 0; i < 12; ++i) rows.values<float>(0).push_back(0.25F * static_cast<float>(i));
  rows.values<std::int64_t>(1) = {0, 1, 2};
  const auto evaluate = [&](const std::string& arguments) {
    module_ = Module("m");
    module_.register_parameter("weight", at::ones({3, 4}).requires_grad_(true), false);
    define("def forward(self, x):\n    return torch.linear(x, self.weight)\ndef metrics(self, " + arguments +
           ") -> Dict[str, Tuple[float, float]]:\n    return {\"size\": (float(x.size(0)), 1.0)}\n");
    auto evaluator =
        make_evaluator(ArchiveFile(archive_), std::make_unique<DenseSource>("rows", rows), 1, {});
    if (!evaluator) throw std::runtime_error(evaluator.error().text());
    const auto metrics = (*evaluator)->evaluate({});
    if (!metrics) throw std::runtime_error(metrics.error().text());
    return std::pair(metrics->at(0).name, (*evaluator)->warning());
  };
  EXPECT_EQ(evaluate("x, y"), std::pair(std::string("size"), std::string()));
  const auto [name, warning] = evaluate("x, y, mask");
  EXPECT_EQ(name, "loss");
  EXPECT_THAT(warning, AllOf(HasSubstr("metrics needs `mask: Tensor`; the data has `x`: float32 [4], `y`"),
                             HasSubstr("is evaluated without its metrics()")));
}

TEST_F(ModelCode, AViewOfABufferThatIsWrittenIsAWrite) {
  module_.register_buffer("moving", at::zeros({3}));
  module_.register_buffer("constant", at::ones({3}));
  define(R"(
def forward(self, x):
    scores = torch.linear(x, self.weight)
    rows = self.moving.view(1, 3)
    for i in range(2):
        rows = rows.select(0, 0).unsqueeze(0)
    rows.add_(scores.detach().mean(0))
    return scores * self.constant.view(1, 3)
)");
  EXPECT_THAT(sent(), ElementsAre("weight", "moving"));
}

// Operators and containers that pass memory on, although their schemas do not say so.
TEST_F(ModelCode, AWriteThroughAContainerOrACastIsAWrite) {
  for (const char* body :
       {"    buffer: Optional[Tensor] = self.moving if x.size(0) > 0 else None\n    if buffer is not None:\n "
        "       buffer.add_(1.0)\n",
        "    a, b = self.both()\n    a.add_(1.0)\n",
        "    named = {\"m\": self.moving}\n    named[\"m\"].add_(1.0)\n",
        "    items: List[Tensor] = []\n    items.append(self.moving)\n    items[0].add_(1.0)\n",
        "    items = [x] + [self.moving]\n    items[1].add_(1.0)\n",
        "    x = x + self.moving.type_as(x).add_(1.0).sum()\n",
        "    t = torch.zeros([3])\n    for i in range(2):\n        t.add_(1.0)\n        t = self.moving\n",
        "    x = x + torch.dropout(self.moving, 0.5, False).add_(1.0).sum()\n"}) {
    SCOPED_TRACE(body);
    module_ = Module("m");
    module_.register_attribute("training", c10::BoolType::get(), true);
    module_.register_parameter("weight", at::ones({3, 4}).requires_grad_(true), false);
    module_.register_buffer("moving", at::zeros({3}));
    module_.register_buffer("constant", at::ones({3}));
    module_.define("def both(self):\n    return self.moving, self.constant * 1.0\n");
    define(std::string("def forward(self, x):\n") + body +
           "    return torch.linear(x, self.weight) * self.constant\n");
    const std::vector<std::string> names = sent();
    EXPECT_THAT(names, ::testing::Contains("moving"));
  }
}

// The average of a teacher's weights, as parameters that are not trained.
TEST_F(ModelCode, AFrozenParameterThatTheCodeWritesIsSentAsABuffer) {
  module_.register_parameter("teacher", at::zeros({3, 4}), false);
  module_.register_parameter("fixed", at::ones({3}), false);
  define(R"(
def forward(self, x):
    if self.training:
        self.teacher.mul_(0.9).add_(self.weight.detach() * 0.1)
    return torch.linear(x, self.weight) * self.fixed
)");
  EXPECT_THAT(sent(), ElementsAre("weight", "teacher"));
}

TEST_F(ModelCode, StatisticsOfBatchNormalisationAreSentAlsoBehindACondition) {
  module_.register_buffer("running_mean", at::zeros({4}));
  module_.register_buffer("running_var", at::ones({4}));
  module_.register_buffer("tracked", at::zeros({}, at::kLong));
  module_.register_buffer("scale", at::full({1}, 2.0F));
  define(R"(
def forward(self, x):
    mean: Optional[Tensor] = self.running_mean if not self.training or x.size(0) > 0 else None
    var: Optional[Tensor] = self.running_var if not self.training or x.size(0) > 0 else None
    if self.training:
        self.tracked.add_(1)
    return torch.linear(torch.batch_norm(x, None, None, mean, var, self.training, 0.1, 1e-5, True), self.weight) * self.scale
)");
  EXPECT_THAT(sent(), ElementsAre("weight", "running_mean", "running_var"));
}

TEST_F(ModelCode, RandomDrawsOfRecurrentLayersFollowTheSeed) {
  for (const double dropout : {0.5, 0.0}) {
    SCOPED_TRACE(dropout);
    module_ = Module("m");
    module_.register_attribute("training", c10::BoolType::get(), true);
    module_.register_parameter(
        "weight", (at::arange(12, at::kFloat) * 0.9).sin().reshape({3, 4}).requires_grad_(true), false);
    const auto ramp = [](std::vector<std::int64_t> sizes, double by) {
      const std::int64_t count = sizes[0] * (sizes.size() > 1 ? sizes[1] : 1);
      return (at::arange(count, at::kFloat) * by).sin().reshape(sizes).requires_grad_(true);
    };
    for (const char* layer : {"0", "1"}) {
      module_.register_parameter(std::string("w_in") + layer, ramp({12, 4}, 0.3), false);
      module_.register_parameter(std::string("w_own") + layer, ramp({12, 4}, 0.5), false);
    }
    define(R"(
def forward(self, x):
    h = torch.zeros(2, x.size(0), 4)
    out, last = torch.gru(x, h, [self.w_in0, self.w_own0, self.w_in1, self.w_own1], False, 2, )" +
           std::to_string(dropout) + R"(, self.training, False, True)
    return torch.linear(last[1], self.weight)
)");
    const auto first = train(5, {6, 4}), second = train(5, {6, 4}), other = train(6, {6, 4});
    ASSERT_TRUE(first && second && other) << first.error().text();
    EXPECT_EQ(*first, *second) << "equal seeds";
    EXPECT_NE(*first, *other);
  }
}

TEST_F(ModelCode, APartThatIsArchivedInEvaluationModeStaysInIt) {
  Module frozen("backbone");
  frozen.register_attribute("training", c10::BoolType::get(), false);
  frozen.define(R"(
def forward(self, x):
    if self.training:
        return x * 1000.0
    return x
)");
  module_.register_module("backbone", frozen);
  define("def forward(self, x):\n    return torch.linear(self.backbone.forward(x), self.weight)\n");
  const auto delta = train();
  ASSERT_TRUE(delta) << delta.error().text();
  EXPECT_LT(std::abs(*std::ranges::max_element(*delta)), 1.0F);
}

// nn.BatchNorm1d as TorchScript compiles it.
constexpr const char* batch_norm_code = R"(
def forward(self, x):
    if self.training:
        self.num_batches_tracked.add_(1)
        bn_training = True
    else:
        bn_training = False
    mean: Optional[Tensor] = self.running_mean if not self.training or x.size(0) > 0 else None
    var: Optional[Tensor] = self.running_var if not self.training or x.size(0) > 0 else None
    return torch.batch_norm(x, self.weight, None, mean, var, bn_training, 0.1, 1e-5, True)
)";

Module batch_norm(bool training, double variance = 4.0) {
  Module out("norm");
  out.register_attribute("training", c10::BoolType::get(), training);
  out.register_parameter("weight", at::ones({4}).requires_grad_(true), false);
  out.register_buffer("running_mean", at::full({4}, 0.25));
  out.register_buffer("running_var", at::full({4}, variance));
  out.register_buffer("num_batches_tracked", at::zeros({}, at::kLong));
  out.define(batch_norm_code);
  return out;
}

TEST_F(ModelCode, StatisticsOfAPartInEvaluationModeAreNotSentAndKeepTheirValues) {
  module_.register_module("moving", batch_norm(true));
  module_.register_module("fixed", batch_norm(false, 1e12));
  define(
      "def forward(self, x):\n    return torch.linear(self.moving.forward(self.fixed.forward(x)), "
      "self.weight)\n");
  EXPECT_THAT(sent(), ElementsAre("weight", "moving.weight", "fixed.weight", "moving.running_mean",
                                  "moving.running_var"));
  const auto delta = train();
  ASSERT_TRUE(delta) << delta.error().text();
  // With the stored variance the part returns values near 0, so that the weights behind it hardly move.
  EXPECT_LT(std::abs(*std::max_element(delta->begin(), delta->begin() + 12)), 0.01F);
}

TEST_F(ModelCode, ABatchOfOneIsTrainedIfAllStatisticsAreFixed) {
  module_.register_module("fixed", batch_norm(false));
  define("def forward(self, x):\n    return torch.linear(self.fixed.forward(x), self.weight)\n");
  const auto model = LoadedModel::open(archive_, {});
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_FALSE(model->traits().normalises_batches);
}

TEST_F(ModelCode, StatisticsOfATracedPartInEvaluationModeAreNotSent) {
  for (const auto& [mode, names] : {std::pair{"False", std::vector<std::string>{"weight"}},
                                    std::pair{"True", std::vector<std::string>{"weight", "mean", "var"}}}) {
    SCOPED_TRACE(mode);
    module_ = Module("m");
    module_.register_attribute("training", c10::BoolType::get(), true);
    module_.register_parameter("weight", at::ones({3, 4}).requires_grad_(true), false);
    module_.register_buffer("mean", at::zeros({4}));
    module_.register_buffer("var", at::ones({4}));
    define(std::string(
               "def forward(self, x):\n    return torch.linear(torch.batch_norm(x, None, None, self.mean, ") +
           "self.var, " + mode + ", 0.1, 1e-5, True), self.weight)\n");
    EXPECT_EQ(sent(), names);
  }
}

// What cannot be decided before the model runs counts as written.
TEST_F(ModelCode, StatisticsAreSentWhereTheCodeMayChangeTheMode) {
  const std::vector<std::string> all{"weight", "fixed.weight", "fixed.running_mean", "fixed.running_var"};
  module_.register_module("fixed", batch_norm(false));
  define(R"(
def forward(self, x):
    if bool(x.sum() > 0.0):
        self.fixed.training = True
    return torch.linear(self.fixed.forward(x), self.weight)
)");
  EXPECT_EQ(sent(), all) << "it assigns the mode";

  module_ = Module("m");
  module_.register_attribute("training", c10::BoolType::get(), false);
  module_.register_parameter("weight", at::ones({3, 4}).requires_grad_(true), false);
  module_.register_module("fixed", batch_norm(false));
  define("def forward(self, x):\n    return torch.linear(self.fixed.forward(x), self.weight)\n");
  EXPECT_EQ(sent(), all) << "the whole model is archived in evaluation mode, which train() changes";

  module_ = Module("m");
  module_.register_attribute("training", c10::BoolType::get(), true);
  module_.register_parameter("weight", at::ones({3, 4}).requires_grad_(true), false);
  module_.register_module("fixed", batch_norm(false));
  define(R"(
def forward(self, x):
    moved = torch.batch_norm(x, None, None, self.fixed.running_mean, self.fixed.running_var, self.training, 0.1, 1e-5, True)
    return torch.linear(self.fixed.forward(x) + moved, self.weight)
)");
  EXPECT_EQ(sent(), all) << "other code writes to them";
}

TEST_F(ModelCode, LayersWhoseModeIsFixedAreReported) {
  const auto warning = [&](const std::string& layer) {
    module_ = Module("m");
    module_.register_attribute("training", c10::BoolType::get(), true);
    module_.register_parameter("weight", at::ones({3, 4}).requires_grad_(true), false);
    module_.register_buffer("mean", at::zeros({4}));
    module_.register_buffer("var", at::ones({4}));
    define("def forward(self, x):\n    return torch.linear(" + layer + ", self.weight)\n");
    return describe_archive(archive_)->fixed_mode;
  };
  const auto norm = [](const std::string& mode) {
    return "torch.batch_norm(x, None, None, self.mean, self.var, " + mode + ", 0.1, 1e-5, True)";
  };
  EXPECT_EQ(warning("torch.dropout(x, 0.5, self.training)"), "");
  EXPECT_EQ(warning(norm("self.training")), "");
  EXPECT_THAT(warning("torch.dropout(x, 0.5, True)"),
              AllOf(HasSubstr("dropout is always in training mode"), Not(HasSubstr("batch normalisation")),
                    HasSubstr("or call model.eval() before the trace")));
  EXPECT_THAT(warning("torch.dropout(x, 0.5, False)"),
              AllOf(HasSubstr("dropout is always in evaluation mode: it drops nothing, also in training"),
                    HasSubstr("Keep it if you mean")));
  EXPECT_THAT(warning(norm("False")), AllOf(HasSubstr("which keep their values and are not sent"),
                                            Not(HasSubstr("dropout")), HasSubstr("Keep it if you mean")));
  EXPECT_THAT(warning(norm("True")), HasSubstr("a result depends on the other examples of its batch"));
  EXPECT_THAT(warning("torch.dropout(" + norm("True") + ", 0.5, False)"),
              AllOf(HasSubstr("it drops nothing"), HasSubstr("other examples of its batch"),
                    Not(HasSubstr("Keep it"))));
}

TEST_F(ModelCode, EachLayerWhoseModeIsFixedIsNamed) {
  const auto dropout = [](const char* mode) {
    Module out("dropout");
    out.register_attribute("training", c10::BoolType::get(), true);
    out.define("def forward(self, x):\n    return torch.dropout(x, 0.5, " + std::string(mode) + ")\n");
    return out;
  };
  Module inner("inner");
  inner.register_attribute("training", c10::BoolType::get(), true);
  inner.register_module("noise", dropout("True"));
  inner.define("def forward(self, x):\n    return self.noise.forward(x)\n");
  module_.register_module("inner", inner);
  module_.register_buffer("mean", at::zeros({4}));
  module_.register_buffer("var", at::ones({4}));
  std::string code = "def forward(self, x):\n    x = self.inner.forward(self.inner.forward(x))\n";
  for (int i = 1; i <= 10; ++i) {
    const std::string name = "drop" + std::to_string(i);
    module_.register_module(name, dropout("False"));
    code += "    x = self." + name + ".forward(x)\n";
  }
  define(code +
         "    x = torch.batch_norm(x, None, None, self.mean, self.var, False, 0.1, 1e-5, True)\n"
         "    return torch.linear(x, self.weight)\n");
  EXPECT_THAT(
      describe_archive(archive_)->fixed_mode,
      AllOf(
          HasSubstr("also in training (drop1, drop2, drop3, drop4, drop5, drop6, drop7, drop8 and 2 more); "),
          HasSubstr("are not sent (in forward); "), HasSubstr("evaluated and used (inner.noise). ")));
}

// torch.nn.ReLU(inplace=True) writes before the view is made.
TEST_F(ModelCode, AViewBehindAnOperationInPlaceIsTrained) {
  module_.register_parameter(
      "filters", (at::arange(54, at::kFloat) * 0.9).sin().reshape({2, 3, 3, 3}).requires_grad_(true), false);
  module_.register_parameter(
      "head", (at::arange(96, at::kFloat) * 0.3).sin().reshape({3, 32}).requires_grad_(true), false);
  module_.register_buffer("tracked", at::zeros({}, at::kLong));
  define(R"(
def forward(self, x):
    self.tracked.add_(1)
    h = torch.relu_(torch.conv2d(x, self.filters))
    return torch.linear(h.view(h.size(0), -1), self.head) + torch.linear(x.view(x.size(0), -1)[:, :4], self.weight)
)");
  EXPECT_TRUE(train(5, {3, 6, 6}));
}

TEST(ModelFile, WhatPeopleSaveByMistakeIsNamed) {
  using namespace std::string_literals;
  const auto what = [](const std::string& start) {
    const auto other = find_other_than_model(start);
    return other ? other->what : std::string("may be an archive");
  };
  EXPECT_THAT(what("PK\x03\x04"s), HasSubstr("may be"));
  EXPECT_THAT(what("\x40\0\0\0\0\0\0\0{\"weight\":{}}"s), HasSubstr("safetensors"));
  EXPECT_THAT(what("\x08\x08\x12\x07pytorch\x1a\x06"s), HasSubstr("ONNX"));
  EXPECT_THAT(what("\x80\x02}q\0."s), HasSubstr("before PyTorch 1.6"));
  EXPECT_THAT(what("\x89HDF\r\n"s), HasSubstr("HDF5"));
  EXPECT_THAT(what("version https://git-lfs.github.com/spec/v1\n"s), HasSubstr("Git LFS"));
  EXPECT_THAT(what("hello"s), HasSubstr("is not a TorchScript archive"));
  EXPECT_THAT(what(""), HasSubstr("is empty"));
  EXPECT_THAT(explain_reading("Unknown builtin op: aten::softmax_of_tomorrow. Here are", "1.13.1")->what,
              HasSubstr("operator aten::softmax_of_tomorrow, which LibTorch 1.13.1 here does not have"));
  EXPECT_THAT(explain_reading(
                  "Attempted to read a PyTorch file with version 99, but the maximum supported version for "
                  "reading is 10. Your",
                  "1.13.1")
                  ->what,
              HasSubstr("format has version 99; LibTorch 1.13.1 here reads up to 10"));
  EXPECT_FALSE(explain_reading("something else", "1.13.1"));
}

}  // namespace
}  // namespace hansa::learning
