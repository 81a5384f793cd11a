// The adaptive server optimiser with v = beta2 * v + (1 - beta2) * mean^2: Reddi et al., "Adaptive Federated
// Optimization" (ICLR 2021), algorithm 2, FedAdam.
#pragma once
#include "server/optimizers/internal/adaptive_optimizer.h"

namespace hansa::server {

class FedAdam final : public internal::AdaptiveOptimizer {
 public:
  FedAdam(WorkerPool& workers, const Options& options, double beta2)
      : AdaptiveOptimizer(workers, options, "fedadam.momentum", "fedadam.second_moment"), beta2_(beta2) {}
  void step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
            std::span<float> next) const override;

 private:
  double beta2_;
};

}  // namespace hansa::server
