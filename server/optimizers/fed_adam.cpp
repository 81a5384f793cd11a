#include "server/optimizers/fed_adam.h"

namespace hansa::server {

void FedAdam::step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
                   std::span<float> next) const {
  internal::adaptive_step(workers_, options_, model, mean, state, next,
                          [this](double v, double d) { return beta2_ * v + (1 - beta2_) * d * d; });
}

}  // namespace hansa::server
