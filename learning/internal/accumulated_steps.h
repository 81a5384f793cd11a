// The sum of the factors with which gradients enter the steps of SGD: the number of steps without momentum. Torch-free.
//
// With momentum rho, v_k = rho v_(k-1) + g_k and y_k = y_(k-1) - eta v_k. If all gradients are g, then
// v_k = g (1 - rho^k) / (1 - rho), and tau steps change y by -eta a g with
//   a = [tau - rho (1 - rho^tau) / (1 - rho)] / (1 - rho)
// (Wang et al., NeurIPS 2020, section 4, "local momentum"). With Nesterov's momentum a step is g_k + rho v_k, which for
// equal gradients is g (1 - rho^(k+1)) / (1 - rho): that of the momentum one step later. So
//   a = [tau - rho^2 (1 - rho^tau) / (1 - rho)] / (1 - rho).
// Weight decay is part of the gradient. The learning rate is that of the round, and is not in a.
#pragma once
#include <cstdint>

#include "common/training.h"

namespace hansa::learning {

// config: of SGD. Positive if steps is.
[[nodiscard]] double accumulated_steps(std::uint64_t steps, const TrainingConfig& config);

}  // namespace hansa::learning
