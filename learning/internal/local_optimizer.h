// How a client turns gradients into changes of its weights. Torch-free.
#pragma once
#include <cstddef>
#include <memory>
#include <span>

#include "common/training.h"

namespace hansa::learning {

// Implementations: mini-batch SGD (sgd.h), Adam and AdamW (adam.h). State starts at zero: an optimiser lives for one task.
// One thread.
class LocalOptimizerState {
 public:
  virtual ~LocalOptimizerState() = default;
  // Once before the parameters of each step.
  virtual void begin_step() = 0;
  // Changes the weights of the parameter of this index. Weights and gradient have that parameter's size.
  virtual void apply(std::size_t parameter, std::span<float> weights, std::span<const float> gradient) = 0;
};

// sizes: the number of values of each parameter.
[[nodiscard]] std::unique_ptr<LocalOptimizerState> make_local_optimizer(const TrainingConfig& config,
                                                                        std::span<const std::size_t> sizes);

// Vectors of the size of the model that the optimiser holds.
[[nodiscard]] std::size_t vectors_of_optimizer(const TrainingConfig& config);

}  // namespace hansa::learning
