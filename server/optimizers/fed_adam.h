// The adaptive server optimiser with v = beta2 * v + (1 - beta2) * mean^2: Reddi et al., "Adaptive Federated
// Optimization" (ICLR 2021), algorithm 2, FedAdam.
#pragma once
#include <array>

#include "server/optimizers/internal/adaptive_step.h"
#include "server/optimizers/server_optimizer.h"

namespace hansa::server {

class FedAdam final : public ServerOptimizer {
 public:
  using Options = internal::AdaptiveOptions;

  FedAdam(WorkerPool& workers, const Options& options, double beta2)
      : options_(options),
        beta2_(beta2),
        states_(internal::adaptive_states("fedadam.momentum", "fedadam.second_moment", options.tau)),
        workers_(workers) {}

  [[nodiscard]] std::span<const State> states() const override { return states_; }
  void step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
            std::span<float> next) const override;

 private:
  Options options_;
  double beta2_;
  std::array<State, 2> states_;
  WorkerPool& workers_;
};

}  // namespace hansa::server
