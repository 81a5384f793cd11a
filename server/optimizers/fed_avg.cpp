#include "server/optimizers/fed_avg.h"

#include <cassert>

#include "common/kernels/fold.h"
#include "server/optimizers/mean_blocks.h"

namespace hansa::server {

void FedAvg::step(std::span<const float> model, const Mean& mean,
                  [[maybe_unused]] std::span<const std::span<float>> state, std::span<float> next) const {
  assert(state.empty() && model.size() == mean.elements() && next.size() == mean.elements());
  for_mean_blocks(workers_, mean, [&](std::size_t first, std::span<double> values) {
    if (learning_rate_ != 1)
      for (double& value : values) value *= learning_rate_;
    kernels::add_mean(model.subspan(first, values.size()), values, next.subspan(first, values.size()));
  });
}

}  // namespace hansa::server
