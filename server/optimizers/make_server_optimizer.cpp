#include <algorithm>
#include <cassert>
#include <iterator>

#include "server/optimizers/averaged_buffers.h"
#include "server/optimizers/fed_adagrad.h"
#include "server/optimizers/fed_adam.h"
#include "server/optimizers/fed_avg.h"
#include "server/optimizers/fed_avg_m.h"
#include "server/optimizers/fed_lion.h"
#include "server/optimizers/fed_yogi.h"

namespace hansa::server {
namespace {

using Made = std::unique_ptr<ServerOptimizer>;
using Make = Made (*)(const ServerOptimizerConfig&, WorkerPool&);

internal::AdaptiveOptions adaptive(const ServerOptimizerConfig& config) {
  return {config.learning_rate, config.beta1, config.tau};
}

// In the order of server_optimizer_names.
constexpr Make makers[] = {
    [](const ServerOptimizerConfig& config, WorkerPool& workers) -> Made {
      return std::make_unique<FedAvg>(workers, config.learning_rate);
    },
    [](const ServerOptimizerConfig& config, WorkerPool& workers) -> Made {
      return std::make_unique<FedAvgM>(workers, config.momentum, config.learning_rate);
    },
    [](const ServerOptimizerConfig& config, WorkerPool& workers) -> Made {
      return std::make_unique<FedAdagrad>(workers, adaptive(config));
    },
    [](const ServerOptimizerConfig& config, WorkerPool& workers) -> Made {
      return std::make_unique<FedAdam>(workers, adaptive(config), config.beta2);
    },
    [](const ServerOptimizerConfig& config, WorkerPool& workers) -> Made {
      return std::make_unique<FedYogi>(workers, adaptive(config), config.beta2);
    },
    [](const ServerOptimizerConfig& config, WorkerPool& workers) -> Made {
      return std::make_unique<FedLion>(
          workers, FedLion::Options{config.learning_rate, config.beta1, config.beta2, config.weight_decay});
    },
};
static_assert(std::size(makers) == server_optimizer_names.size());

}  // namespace

std::unique_ptr<ServerOptimizer> make_server_optimizer(const ServerOptimizerConfig& config,
                                                       WorkerPool& workers) {
  const auto found = std::ranges::find(server_optimizer_names, config.name);
  assert(found != server_optimizer_names.end());  // the settings allow no other
  Made out = makers[found - server_optimizer_names.begin()](config, workers);
  if (config.averaged.empty()) return out;
  return std::make_unique<AveragedBuffers>(std::move(out), config.averaged, workers);
}

}  // namespace hansa::server
