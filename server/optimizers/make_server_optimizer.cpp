#include <algorithm>
#include <cassert>
#include <iterator>

#include "server/optimizers/fed_avg.h"
#include "server/optimizers/fed_avg_m.h"

namespace hansa::server {
namespace {

using Make = std::unique_ptr<ServerOptimizer> (*)(const ServerOptimizerConfig&, WorkerPool&);

// In the order of server_optimizer_names.
constexpr Make makers[] = {
    [](const ServerOptimizerConfig&, WorkerPool& workers) -> std::unique_ptr<ServerOptimizer> {
      return std::make_unique<FedAvg>(workers);
    },
    [](const ServerOptimizerConfig& config, WorkerPool& workers) -> std::unique_ptr<ServerOptimizer> {
      return std::make_unique<FedAvgM>(config.momentum, workers);
    },
};
static_assert(std::size(makers) == server_optimizer_names.size());

}  // namespace

std::unique_ptr<ServerOptimizer> make_server_optimizer(const ServerOptimizerConfig& config,
                                                       WorkerPool& workers) {
  const auto found = std::ranges::find(server_optimizer_names, config.name);
  assert(found != server_optimizer_names.end());  // the settings allow no other
  return makers[found - server_optimizer_names.begin()](config, workers);
}

}  // namespace hansa::server
