// What FedAdagrad, FedAdam and FedYogi have in common: Reddi et al., "Adaptive Federated Optimization" (ICLR 2021),
// algorithm 2. They differ in the second moment only.
//
//   m = beta1 * m + (1 - beta1) * mean
//   v = second moment of the optimiser, which begins at tau^2
//   next = model + learning_rate * m / (sqrt(v) + tau)
//
// As in the paper, no bias is corrected.
#pragma once
#include <array>
#include <cassert>
#include <cmath>
#include <span>

#include "common/kernels/fold.h"
#include "server/optimizers/mean_blocks.h"
#include "server/optimizers/to_float.h"
#include "server/optimizers/server_optimizer.h"

namespace hansa::server::internal {

struct AdaptiveOptions {
  double learning_rate = 0.01;
  double beta1 = 0.9;
  double tau = 1e-3;
};

[[nodiscard]] inline std::array<ServerOptimizer::State, 2> adaptive_states(std::string_view first,
                                                                           std::string_view second,
                                                                           double tau) {
  return {{{first}, {second, to_float(tau * tau)}}};
}

// second_moment(v, d): the next v from v and the mean's value d.
template <class SecondMoment>
void adaptive_step(WorkerPool& workers, const AdaptiveOptions& options, std::span<const float> model,
                   const Mean& mean, std::span<const std::span<float>> state, std::span<float> next,
                   const SecondMoment& second_moment) {
  assert(state.size() == 2 && state[0].size() == mean.elements() && state[1].size() == mean.elements());
  assert(model.size() == mean.elements() && next.size() == mean.elements());
  for_mean_blocks(workers, mean, [&](std::size_t first, std::span<double> values) {
    const std::span m = state[0].subspan(first, values.size());
    const std::span v = state[1].subspan(first, values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      m[i] = to_float(options.beta1 * static_cast<double>(m[i]) + (1 - options.beta1) * values[i]);
      v[i] = to_float(second_moment(static_cast<double>(v[i]), values[i]));
      values[i] = options.learning_rate * static_cast<double>(m[i]) /
                  (std::sqrt(static_cast<double>(v[i])) + options.tau);
    }
    kernels::add_mean(model.subspan(first, values.size()), values, next.subspan(first, values.size()));
  });
}

}  // namespace hansa::server::internal
