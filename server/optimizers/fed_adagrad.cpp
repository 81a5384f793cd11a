#include "server/optimizers/fed_adagrad.h"

namespace hansa::server {

void FedAdagrad::step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
                      std::span<float> next) const {
  internal::adaptive_step(workers_, options_, model, mean, state, next,
                          [](double v, double d) { return v + d * d; });
}

}  // namespace hansa::server
