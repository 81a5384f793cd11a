// A trainer whose updates are a function of the task's seed and the global model, so that a test can recompute them.
#pragma once
#include <cstdint>
#include <span>

#include "common/random.h"
#include "learning/trainer.h"

namespace hansa::testing {

class FakeTrainer : public learning::Trainer {
 public:
  explicit FakeTrainer(std::uint64_t examples) : examples_(examples) {}

  static void compute(std::uint64_t seed, std::span<const float> global, std::span<float> delta) {
    Random random(seed);
    for (std::size_t i = 0; i < delta.size(); ++i)
      delta[i] = static_cast<float>(0.1 * random.normal()) - 0.05F * global[i];
  }

  Result<learning::AvailableData> data_at_hand() override {
    return learning::AvailableData{examples_, 0, {}};
  }
  Result<learning::TrainingResult> train(const learning::TrainingRequest& request,
                                         std::span<const learning::OutputVector> outputs,
                                         std::stop_token) override {
    compute(request.seed, request.inputs.front().values, outputs.front().values);
    learning::TrainingResult result;
    result.examples = examples_;
    result.samples = examples_;
    result.metrics = {{"loss", 1.0, static_cast<double>(examples_)}};
    return result;
  }

 private:
  std::uint64_t examples_;
};

}  // namespace hansa::testing
