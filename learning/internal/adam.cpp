#include "learning/internal/adam.h"

#include <cassert>
#include <cmath>
#include <cstddef>

namespace hansa::learning {

void adam_step(std::span<float> weights, std::span<const float> gradient, std::span<float> first,
               std::span<float> second, std::uint64_t step, const AdamConstants& constants) {
  assert(weights.size() == gradient.size() && first.size() == weights.size() &&
         second.size() == weights.size() && step > 0);
  const auto steps = static_cast<double>(step);
  const double correction1 = 1 - std::pow(constants.beta1, steps);
  const double correction2 = 1 - std::pow(constants.beta2, steps);
  const auto rate = static_cast<float>(constants.learning_rate / correction1);
  const auto root2 = static_cast<float>(1 / std::sqrt(correction2));
  const auto beta1 = static_cast<float>(constants.beta1), beta2 = static_cast<float>(constants.beta2);
  const auto rest1 = static_cast<float>(1 - constants.beta1), rest2 = static_cast<float>(1 - constants.beta2);
  const auto epsilon = static_cast<float>(constants.epsilon);
  const auto l2 = constants.decoupled ? 0.0F : static_cast<float>(constants.weight_decay);
  const auto kept =
      constants.decoupled ? static_cast<float>(1 - constants.learning_rate * constants.weight_decay) : 1.0F;
  float* __restrict w = weights.data();
  const float* __restrict g = gradient.data();
  float* __restrict m = first.data();
  float* __restrict v = second.data();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float whole = g[i] + l2 * w[i];
    m[i] = beta1 * m[i] + rest1 * whole;
    v[i] = beta2 * v[i] + rest2 * whole * whole;
    w[i] = kept * w[i] - rate * m[i] / (std::sqrt(v[i]) * root2 + epsilon);
  }
}

}  // namespace hansa::learning
