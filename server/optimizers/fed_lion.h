// The sign of a momentum as the step: Chen et al., "Symbolic Discovery of Optimization Algorithms" (NeurIPS 2023),
// algorithm 2 (Lion), with the mean of the updates in place of the negative gradient.
//
//   u = sign(beta1 * m + (1 - beta1) * mean)
//   next = model + learning_rate * (u - weight_decay * model)
//   m = beta2 * m + (1 - beta2) * mean
#pragma once
#include <array>

#include "server/optimizers/server_optimizer.h"

namespace hansa::server {

class FedLion final : public ServerOptimizer {
 public:
  static constexpr std::array<State, 1> kept{{{"fedlion.momentum"}}};
  struct Options {
    double learning_rate = 1e-3;
    double beta1 = 0.9, beta2 = 0.99;
    double weight_decay = 0;
  };

  FedLion(WorkerPool& workers, const Options& options) : options_(options), workers_(workers) {}

  [[nodiscard]] std::span<const State> states() const override { return kept; }
  void step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
            std::span<float> next) const override;

 private:
  Options options_;
  WorkerPool& workers_;
};

}  // namespace hansa::server
