// The adaptive server optimiser with v = v - (1 - beta2) * mean^2 * sign(v - mean^2): Reddi et al., "Adaptive Federated
// Optimization" (ICLR 2021), algorithm 2, FedYogi.
#pragma once
#include <array>

#include "server/optimizers/internal/adaptive_step.h"
#include "server/optimizers/server_optimizer.h"

namespace hansa::server {

class FedYogi final : public ServerOptimizer {
 public:
  using Options = internal::AdaptiveOptions;

  FedYogi(WorkerPool& workers, const Options& options, double beta2)
      : options_(options),
        beta2_(beta2),
        states_(internal::adaptive_states("fedyogi.momentum", "fedyogi.second_moment", options.tau)),
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
