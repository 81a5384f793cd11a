// An optimiser for what is trained, and plain averaging for the rest of the model. A buffer, such as the running variance
// of a normalisation layer, is a statistic and no point of descent: momentum could make a variance negative, and an
// adaptive step would move it by the learning rate, however small its change.
#pragma once
#include <memory>
#include <vector>

#include "server/optimizers/fed_avg.h"
#include "server/optimizers/server_optimizer.h"

namespace hansa::server {

class AveragedBuffers final : public ServerOptimizer {
 public:
  // averaged: ranges in ascending order that do not overlap.
  AveragedBuffers(std::unique_ptr<ServerOptimizer> trained,
                  std::vector<ServerOptimizerConfig::Range> averaged, WorkerPool& workers)
      : trained_(std::move(trained)), averaged_(std::move(averaged)), average_(workers) {}

  [[nodiscard]] std::span<const State> states() const override { return trained_->states(); }
  // The state of what is averaged stays as it is.
  void step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
            std::span<float> next) const override;

 private:
  std::unique_ptr<ServerOptimizer> trained_;
  std::vector<ServerOptimizerConfig::Range> averaged_;
  FedAvg average_;
};

}  // namespace hansa::server
