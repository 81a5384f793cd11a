// FedDyn (Acar et al., ICLR 2021, algorithm 1) on the aggregator: the server state h moves by -alpha / m times the sum of the
// clients' deltas, where m is the number of all clients, and the model by the mean of the deltas minus h / alpha.
//
// The state is kept as u = -h / alpha, in which alpha cancels: u grows by (|P| / m) * mean, and the model moves by mean + u.
// The mean is weighted by examples, where the paper's is not.
#pragma once
#include <array>
#include <vector>

#include "server/methods/server_method.h"

namespace hansa::server {

class FedDyn final : public ServerMethod {
 public:
  FedDyn(std::vector<ServerOptimizerConfig::Range> buffers, WorkerPool& workers)
      : buffers_(std::move(buffers)), workers_(workers) {}
  [[nodiscard]] std::span<const ServerOptimizer::State> states() const override { return states_; }
  [[nodiscard]] std::unique_ptr<const Mean> correct(const Mean& delta, const RoundTotals& totals,
                                                    std::span<const std::span<float>> state) const override;

 private:
  static constexpr std::array<ServerOptimizer::State, 1> states_{{{"drift", 0}}};
  std::vector<ServerOptimizerConfig::Range> buffers_;
  WorkerPool& workers_;
};

}  // namespace hansa::server
