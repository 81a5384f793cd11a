// Mini-batch training of an open model on an open data source. Includes LibTorch.
#pragma once
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "learning/data/data_source.h"
#include "learning/internal/loss.h"
#include "learning/internal/model.h"
#include "learning/trainer.h"

namespace hansa::learning {

// LibTorch draws dropout masks from one generator for the whole process. Models that draw random numbers take turns, so
// that each sees only the numbers of its own seed; other models run concurrently, and get no turn.
using RandomNumbersTurn = std::unique_lock<std::mutex>;
[[nodiscard]] std::optional<RandomNumbersTurn> take_turn(const Model& model, std::uint64_t seed);

// A batch, or a part of it, whose loss has been computed.
struct ComputedBatch {
  const Batch& batch;
  const LossOfBatch& computed;
  std::span<const std::uint32_t> examples;  // their places in the source, in the batch's order
};

// What a method adds to each optimiser step, such as a proximal term or a control variate.
class GradientHook {
 public:
  virtual ~GradientHook() = default;
  // What is added to the mean loss of these examples before its gradient is computed: a scalar, or undefined for nothing.
  // The loss that is reported is without it. Fails as run_training().
  [[nodiscard]] virtual Result<at::Tensor> further_loss(Model& /*model*/, const ComputedBatch& /*batch*/) {
    return at::Tensor();
  }
  // Changes the gradient of the model's trainable of this index before the optimiser uses it. Weights and gradient
  // are in the order of the trainable's memory: assigning a vector of the layout to a model brings it into this
  // order.
  virtual void correct(std::size_t /*trainable*/, std::span<const float> /*weights*/,
                       std::span<float> /*gradient*/) {}
  // Changes the trainable's weights after the optimiser's step. Not called for one that the step left as it was.
  virtual void after_step(std::size_t /*trainable*/, std::span<float> /*weights*/) {}
};

// How a model is trained. What it refers to outlives the call.
struct TrainingRun {
  const TrainingConfig& config;
  std::uint64_t seed = 0;
  const std::stop_token& stop;
  GradientHook* hook = nullptr;
  // For each of the model's trainables: whether it keeps its values. Empty: all are trained. Buffers change all the same.
  std::vector<bool> frozen = {};
};
struct Trained {
  TrainingResult result;
  std::uint64_t steps = 0;  // of the optimiser
};

// Trains the model from the values it holds. Equal model, data and run give equal bits.
// Fails: resource ("stopped"), data (the loss is not finite), model (the archive's code fails).
// The model's values are undefined after a failure.
[[nodiscard]] Result<Trained> run_training(Model& model, const DataSource& source, const TrainingRun& run);

}  // namespace hansa::learning
