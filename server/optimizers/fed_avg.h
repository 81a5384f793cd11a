// Averaging: next = model + learning_rate * mean. With a learning rate of 1: McMahan et al., "Communication-Efficient
// Learning of Deep Networks from Decentralized Data" (AISTATS 2017), algorithm 1; with another one: Reddi et al. 2021,
// algorithm 1 with SGD as the server's optimiser.
#pragma once
#include "server/optimizers/server_optimizer.h"

namespace hansa::server {

class FedAvg final : public ServerOptimizer {
 public:
  explicit FedAvg(WorkerPool& workers, double learning_rate = 1)
      : learning_rate_(learning_rate), workers_(workers) {}

  [[nodiscard]] std::span<const State> states() const override { return {}; }
  void step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
            std::span<float> next) const override;

 private:
  double learning_rate_;
  WorkerPool& workers_;
};

}  // namespace hansa::server
