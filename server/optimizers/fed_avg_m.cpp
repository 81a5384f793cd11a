#include "server/optimizers/fed_avg_m.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "common/kernels/fold.h"
#include "server/optimizers/internal/mean_blocks.h"

namespace hansa::server {

void FedAvgM::step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
                   std::span<float> next) const {
  assert(state.size() == 1 && state[0].size() == mean.elements());
  assert(model.size() == mean.elements() && next.size() == mean.elements());
  constexpr double largest = std::numeric_limits<float>::max();
  internal::for_mean_blocks(workers_, mean, [&](std::size_t first, std::span<double> values) {
    const std::span velocity = state[0].subspan(first, values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double moved = momentum_ * static_cast<double>(velocity[i]) + values[i];
      velocity[i] = static_cast<float>(std::clamp(moved, -largest, largest));
      values[i] = static_cast<double>(velocity[i]);
    }
    kernels::add_mean(model.subspan(first, values.size()), values, next.subspan(first, values.size()));
  });
}

}  // namespace hansa::server
