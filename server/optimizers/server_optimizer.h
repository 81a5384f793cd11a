// A server optimiser makes the next model from the mean of a round's updates: Reddi et al., "Adaptive Federated
// Optimization" (ICLR 2021), section 2, where the mean of the model deltas takes the place of a gradient.
//
// Implementations: FedAvg (fed_avg.h) and FedAvgM (fed_avg_m.h). Only an optimiser adds a mean to a model, whatever the
// form of the updates. One thread at a time calls step(), which spreads its loops over a worker pool.
#pragma once
#include <memory>
#include <span>
#include <string_view>

#include "server/aggregation/mean.h"
#include "server/aggregation/worker_pool.h"
#include "server/optimizers/optimizer_config.h"

namespace hansa::server {

class ServerOptimizer {
 public:
  virtual ~ServerOptimizer() = default;

  // The names of the vectors that it keeps from round to round, each as long as the model and zero before the first
  // round. The engine stores them with each round under these names, so a name never changes its meaning.
  [[nodiscard]] virtual std::span<const std::string_view> state_names() const = 0;
  // Writes the successor of `model` to `next`, and updates `state`, the vectors of state_names() in their order. All
  // spans have mean.elements() values; `next` may be `model` itself.
  virtual void step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
                    std::span<float> next) const = 0;
};

// workers outlives the optimiser.
[[nodiscard]] std::unique_ptr<ServerOptimizer> make_server_optimizer(const ServerOptimizerConfig& config,
                                                                     WorkerPool& workers);

}  // namespace hansa::server
