#include "server/optimizers/fed_yogi.h"

#include <cmath>

namespace hansa::server {

void FedYogi::step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
                   std::span<float> next) const {
  internal::adaptive_step(workers_, options_, model, mean, state, next, [this](double v, double d) {
    const double square = d * d;
    if (v == square) return v;
    return v - (1 - beta2_) * std::copysign(square, v - square);
  });
}

}  // namespace hansa::server
