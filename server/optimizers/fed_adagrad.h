// The adaptive server optimiser with v = v + mean^2: Reddi et al., "Adaptive Federated Optimization" (ICLR 2021),
// algorithm 2, FedAdagrad.
#pragma once
#include <array>

#include "server/optimizers/internal/adaptive_step.h"
#include "server/optimizers/server_optimizer.h"

namespace hansa::server {

class FedAdagrad final : public ServerOptimizer {
 public:
  using Options = internal::AdaptiveOptions;

  FedAdagrad(WorkerPool& workers, const Options& options)
      : options_(options),
        states_(internal::adaptive_states("fedadagrad.momentum", "fedadagrad.second_moment", options.tau)),
        workers_(workers) {}

  [[nodiscard]] std::span<const State> states() const override { return states_; }
  void step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
            std::span<float> next) const override;

 private:
  Options options_;
  std::array<State, 2> states_;
  WorkerPool& workers_;
};

}  // namespace hansa::server
