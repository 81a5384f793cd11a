#include "tests/learning/typed_examples.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <utility>

#include "learning/data_supply.h"
#include "learning/evaluation.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"

namespace hansa::learning::testing {

using torch::jit::Module;

TensorSpec spec(std::string name, ElementType type, std::vector<std::int64_t> shape, std::int64_t classes) {
  return {std::move(name), type, std::move(shape), classes};
}

void TypedExamples::model(const std::string& methods) const {
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

void TypedExamples::data(const ExampleShape& shape) {
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
  examples_ = std::move(out);
}

Result<TrainingResult> TypedExamples::train() {
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

std::string TypedExamples::refusal() {
  const auto trained = train();
  return trained ? "was trained" : trained.error().text();
}

Metrics TypedExamples::evaluated() const {
  auto evaluator =
      make_evaluator(ArchiveFile(archive_), std::make_unique<DenseSource>("rows", examples_), 1, {});
  if (!evaluator) throw std::runtime_error(evaluator.error().text());
  auto metrics = (*evaluator)->evaluate({});
  if (!metrics) throw std::runtime_error(metrics.error().text());
  return *metrics;
}

std::vector<float> TypedExamples::expected(const Loss& loss) const {
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

at::Tensor TypedExamples::tensor(std::size_t t) const {
  std::vector<std::int64_t> sizes{examples};
  const TensorSpec& of = examples_.shape[t];
  sizes.insert(sizes.end(), of.shape.begin(), of.shape.end());
  const auto* bytes = bytes_of(examples_.tensors[t]).data();
  const at::ScalarType types[] = {at::kFloat, at::kByte, at::kInt, at::kLong, at::kBool};
  return at::from_blob(const_cast<std::byte*>(bytes), sizes, types[static_cast<std::size_t>(of.type)])
      .clone();
}

void TypedExamples::expect_trained_as(const Loss& loss) {
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

}  // namespace hansa::learning::testing
