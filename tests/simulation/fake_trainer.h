// A trainer whose updates are a function of the task's seed and the global model, so that a test can recompute them.
#pragma once
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>

#include "common/random.h"
#include "learning/trainer.h"

namespace hansa::testing {

class FakeTrainer : public learning::Trainer {
 public:
  // method: known in addition to those of Hansa.
  explicit FakeTrainer(std::uint64_t examples, const std::optional<MethodDescription>& method = {})
      : examples_(examples), methods_(built_in_methods()) {
    if (method) methods_.push_back(*method);
  }
  [[nodiscard]] const MethodTable& methods() const override { return methods_; }

  static void compute(std::uint64_t seed, std::span<const float> global, std::span<float> delta) {
    Random random(seed);
    for (std::size_t i = 0; i < delta.size(); ++i)
      delta[i] = static_cast<float>(0.1 * random.normal()) - 0.05F * global[i];
  }

  // The output that belongs to a vector which the method exchanges; index counts these from 0.
  static void compute_vector(std::uint64_t seed, std::size_t index, std::span<const float> input,
                             std::span<float> output) {
    Random random(seed + 1 + index);
    for (std::size_t i = 0; i < output.size(); ++i)
      output[i] = static_cast<float>(0.1 * random.normal()) - 0.5F * input[i];
  }

  // What its data looks like; unless it is set, the data fits no contract.
  void set_description(DataDescription description) { description_ = std::move(description); }

  Result<learning::AvailableData> available_data(std::stop_token /*stop*/) override {
    return learning::AvailableData{examples_, 0, {}, description_};
  }
  Result<learning::TrainingResult> train(const learning::TrainingRequest& request,
                                         std::span<const learning::OutputVector> outputs,
                                         std::stop_token) override {
    compute(request.seed, request.inputs.front().values, outputs.front().values);
    for (std::size_t i = 1; i < outputs.size(); ++i)
      compute_vector(request.seed, i - 1, request.inputs[i].values, outputs[i].values);
    learning::TrainingResult result;
    result.examples = examples_;
    result.samples = examples_;
    result.metrics = {{"loss", 1.0, static_cast<double>(examples_)}};
    if (request.hold_out && request.hold_out->measure == Measure::yes) {
      const auto held_out = static_cast<double>(1 + examples_ / 5);
      result.metrics.push_back({"held_out_loss", held_out * std::sqrt(held_out) / 4, held_out});
      result.metrics.push_back({"held_out_accuracy", std::floor(held_out / 3), held_out});
      result.metrics.push_back({"held_out_own.auc", held_out / 4, held_out});
      // A model's code that took the trainer over could return anything.
      result.metrics.push_back({"held_out_secret", 1234, 1});
    }
    return result;
  }

 private:
  std::uint64_t examples_;
  MethodTable methods_;
  std::optional<DataDescription> description_;
};

}  // namespace hansa::testing
