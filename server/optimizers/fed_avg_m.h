// Averaging with server momentum: v = momentum * v + mean, next = model + v. Hsu, Qi, Brown, "Measuring the Effects of
// Non-Identical Data Distribution for Federated Visual Classification" (2019), section 4.3.
#pragma once
#include <array>

#include "server/optimizers/server_optimizer.h"

namespace hansa::server {

class FedAvgM final : public ServerOptimizer {
 public:
  static constexpr std::array<std::string_view, 1> names{"fedavgm.velocity"};

  FedAvgM(double momentum, WorkerPool& workers) : momentum_(momentum), workers_(workers) {}

  [[nodiscard]] std::span<const std::string_view> state_names() const override { return names; }
  // v is rounded to float32 before it is added, so that a restart continues with the same bits.
  void step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
            std::span<float> next) const override;

 private:
  double momentum_;
  WorkerPool& workers_;
};

}  // namespace hansa::server
