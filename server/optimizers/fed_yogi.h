// The adaptive server optimiser with v = v - (1 - beta2) * mean^2 * sign(v - mean^2): Reddi et al., "Adaptive Federated
// Optimization" (ICLR 2021), algorithm 2, FedYogi.
#pragma once
#include "server/optimizers/internal/adaptive_optimizer.h"

namespace hansa::server {

class FedYogi final : public internal::AdaptiveOptimizer {
 public:
  FedYogi(WorkerPool& workers, const Options& options, double beta2)
      : AdaptiveOptimizer(workers, options, "fedyogi.momentum", "fedyogi.second_moment"), beta2_(beta2) {}
  void step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
            std::span<float> next) const override;

 private:
  double beta2_;
};

}  // namespace hansa::server
