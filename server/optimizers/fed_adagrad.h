// The adaptive server optimiser with v = v + mean^2: Reddi et al., "Adaptive Federated Optimization" (ICLR 2021),
// algorithm 2, FedAdagrad.
#pragma once
#include "server/optimizers/internal/adaptive_optimizer.h"

namespace hansa::server {

class FedAdagrad final : public internal::AdaptiveOptimizer {
 public:
  FedAdagrad(WorkerPool& workers, const Options& options)
      : AdaptiveOptimizer(workers, options, "fedadagrad.momentum", "fedadagrad.second_moment") {}
  void step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
            std::span<float> next) const override;
};

}  // namespace hansa::server
