// What the classes of the adaptive server optimisers have in common; adaptive_step.h has the equations.
#pragma once
#include <array>
#include <string_view>

#include "server/optimizers/internal/adaptive_step.h"
#include "server/optimizers/server_optimizer.h"

namespace hansa::server::internal {

class AdaptiveOptimizer : public ServerOptimizer {
 public:
  using Options = AdaptiveOptions;
  [[nodiscard]] std::span<const State> states() const final { return states_; }

 protected:
  AdaptiveOptimizer(WorkerPool& workers, const Options& options, std::string_view momentum,
                    std::string_view second_moment)
      : workers_(workers),
        options_(options),
        states_(adaptive_states(momentum, second_moment, options.tau)) {}

  WorkerPool& workers_;
  Options options_;

 private:
  std::array<State, 2> states_;
};

}  // namespace hansa::server::internal
