// A server optimiser makes the next model from the mean of a round's updates: Reddi et al., "Adaptive Federated
// Optimization" (ICLR 2021), section 2, where the mean of the model deltas takes the place of a gradient.
//
// Implementations: a file each (fed_avg.h, fed_avg_m.h, fed_adagrad.h, fed_adam.h, fed_yogi.h, fed_lion.h), and
// averaged_buffers.h, which leaves a part of the model to plain averaging. Only an optimiser adds a mean to a model,
// whatever the form of the updates. One thread at a time calls step(), which spreads its loops over a worker pool.
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

  // A vector that the optimiser keeps from round to round, as long as the model. The engine stores it with each round
  // under its name, so a name never changes its meaning.
  struct State {
    std::string_view name;
    float initial = 0;  // all of its values before the first round
  };
  [[nodiscard]] virtual std::span<const State> states() const = 0;
  // Writes the successor of `model` to `next`, and updates `state`, the vectors of states() in their order. All spans
  // have mean.elements() values; `next` may be `model` itself. Reads each value of the mean exactly once. What it keeps
  // is rounded to float32 before it is used, so that a restart continues with the same bits.
  virtual void step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
                    std::span<float> next) const = 0;
};

// workers outlives the optimiser.
[[nodiscard]] std::unique_ptr<ServerOptimizer> make_server_optimizer(const ServerOptimizerConfig& config,
                                                                     WorkerPool& workers);

}  // namespace hansa::server
