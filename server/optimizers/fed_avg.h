// Plain averaging: next = model + mean. McMahan et al., "Communication-Efficient Learning of Deep Networks from
// Decentralized Data" (AISTATS 2017), algorithm 1.
#pragma once
#include "server/optimizers/server_optimizer.h"

namespace hansa::server {

class FedAvg final : public ServerOptimizer {
 public:
  explicit FedAvg(WorkerPool& workers) : workers_(workers) {}

  [[nodiscard]] std::span<const std::string_view> state_names() const override { return {}; }
  void step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
            std::span<float> next) const override;

 private:
  WorkerPool& workers_;
};

}  // namespace hansa::server
