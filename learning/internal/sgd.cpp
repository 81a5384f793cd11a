#include "learning/internal/sgd.h"

#include <cassert>
#include <cstddef>

namespace hansa::learning {

void sgd_step(std::span<float> weights, std::span<const float> gradient, std::span<float> velocity,
              const SgdConstants& constants) {
  assert(weights.size() == gradient.size());
  float* __restrict w = weights.data();
  const float* __restrict g = gradient.data();
  const auto [rate, momentum, decay, nesterov] = constants;
  const std::size_t n = weights.size();
  if (velocity.empty()) {
    assert(momentum == 0);
    if (decay == 0) {
      for (std::size_t i = 0; i < n; ++i) w[i] -= rate * g[i];
    } else {
      for (std::size_t i = 0; i < n; ++i) w[i] -= rate * (g[i] + decay * w[i]);
    }
    return;
  }
  assert(velocity.size() == n);
  float* __restrict v = velocity.data();
  if (nesterov) {
    for (std::size_t i = 0; i < n; ++i) {
      const float gradient_and_decay = g[i] + decay * w[i];
      v[i] = momentum * v[i] + gradient_and_decay;
      w[i] -= rate * (gradient_and_decay + momentum * v[i]);
    }
    return;
  }
  for (std::size_t i = 0; i < n; ++i) {
    v[i] = momentum * v[i] + (g[i] + decay * w[i]);
    w[i] -= rate * v[i];
  }
}

}  // namespace hansa::learning
