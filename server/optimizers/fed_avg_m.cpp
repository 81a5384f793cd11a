#include "server/optimizers/fed_avg_m.h"

#include <cassert>

#include "common/kernels/fold.h"
#include "server/optimizers/mean_blocks.h"
#include "server/optimizers/to_float.h"

namespace hansa::server {

void FedAvgM::step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
                   std::span<float> next) const {
  assert(state.size() == 1 && state[0].size() == mean.elements());
  assert(model.size() == mean.elements() && next.size() == mean.elements());
  for_mean_blocks(workers_, mean, [&](std::size_t first, std::span<double> values) {
    const std::span velocity = state[0].subspan(first, values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      velocity[i] = to_float(momentum_ * static_cast<double>(velocity[i]) + values[i]);
      values[i] = learning_rate_ * static_cast<double>(velocity[i]);
    }
    kernels::add_mean(model.subspan(first, values.size()), values, next.subspan(first, values.size()));
  });
}

}  // namespace hansa::server
