// Averaging with server momentum: v = momentum * v + mean, next = model + learning_rate * v. Hsu, Qi, Brown, "Measuring
// the Effects of Non-Identical Data Distribution for Federated Visual Classification" (2019), section 4.3.
#pragma once
#include <array>

#include "server/optimizers/server_optimizer.h"

namespace hansa::server {

class FedAvgM final : public ServerOptimizer {
 public:
  static constexpr std::array<State, 1> kept{{{"fedavgm.velocity"}}};

  FedAvgM(WorkerPool& workers, double momentum, double learning_rate = 1)
      : momentum_(momentum), learning_rate_(learning_rate), workers_(workers) {}

  [[nodiscard]] std::span<const State> states() const override { return kept; }
  void step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
            std::span<float> next) const override;

 private:
  double momentum_;
  double learning_rate_;
  WorkerPool& workers_;
};

}  // namespace hansa::server
