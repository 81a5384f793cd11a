#include "tests/learning/anchored_method.h"

#include <algorithm>

#include "learning/internal/model.h"
#include "learning/internal/training_loop.h"

namespace hansa::learning::testing {
namespace {

class Pull final : public GradientHook {
 public:
  Pull(Model& model, std::span<const float> global, std::span<const float> anchor, float factor)
      : factor_(factor) {
    model.assign(anchor);
    for (const Model::Trainable& trainable : model.trainables())
      anchor_.emplace_back(trainable.memory.begin(), trainable.memory.end());
    model.assign(global);
  }
  void correct(std::size_t trainable, std::span<const float> weights, std::span<float> gradient) override {
    for (std::size_t i = 0; i < weights.size(); ++i)
      gradient[i] += factor_ * (weights[i] - anchor_[trainable][i]);
  }

 private:
  float factor_;
  std::vector<std::vector<float>> anchor_;  // of each trainable, in the order of its memory
};

class Anchored final : public TrainingMethod {
 public:
  Anchored() : description_{"anchored", sgd_options(), {"anchor"}, {"drift"}} {
    description_.options.push_back({"pull", 0.0, {.least = 0}});
  }
  [[nodiscard]] const MethodDescription& description() const override { return description_; }
  [[nodiscard]] Result<TrainingResult> train(const MethodTask& task) const override {
    const Method& method = task.request.method;
    const std::span<const float> anchor = task.request.inputs[1].values;
    const auto pull = std::ranges::find(method.options, "pull", &Option::name);
    const double factor = pull == method.options.end() ? 0 : std::get<double>(pull->value);
    Pull hook(task.model, task.request.inputs[0].values, anchor, static_cast<float>(factor));
    const TrainingConfig config = training_config(description_, method);
    HANSA_TRY(Trained trained,
              run_training(task.model, task.source,
                           {.config = config, .seed = task.request.seed, .stop = task.stop, .hook = &hook}));
    std::vector<float>& drift = task.outputs[0];
    task.model.extract(drift);
    for (std::size_t i = 0; i < drift.size(); ++i) drift[i] -= anchor[i];
    return std::move(trained.result);
  }

 private:
  MethodDescription description_;
};

}  // namespace

std::unique_ptr<const TrainingMethod> make_anchored() { return std::make_unique<Anchored>(); }

std::shared_ptr<const MethodRegistry> with_anchored() {
  auto out = std::make_shared<MethodRegistry>(shipped_methods());
  out->add(make_anchored());
  return out;
}

}  // namespace hansa::learning::testing
