#include "server/optimizers/fed_lion.h"

#include <cassert>

#include "common/kernels/fold.h"
#include "server/optimizers/mean_blocks.h"
#include "server/optimizers/to_float.h"

namespace hansa::server {
namespace {

double sign(double value) { return static_cast<double>(value > 0) - static_cast<double>(value < 0); }

}  // namespace

void FedLion::step(std::span<const float> model, const Mean& mean, std::span<const std::span<float>> state,
                   std::span<float> next) const {
  assert(state.size() == 1 && state[0].size() == mean.elements());
  assert(model.size() == mean.elements() && next.size() == mean.elements());
  for_mean_blocks(workers_, mean, [&](std::size_t first, std::span<double> values) {
    const std::span momentum = state[0].subspan(first, values.size());
    const std::span weights = model.subspan(first, values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto m = static_cast<double>(momentum[i]);
      const double d = values[i];
      momentum[i] = to_float(options_.beta2 * m + (1 - options_.beta2) * d);
      values[i] = options_.learning_rate * (sign(options_.beta1 * m + (1 - options_.beta1) * d) -
                                            options_.weight_decay * static_cast<double>(weights[i]));
    }
    kernels::add_mean(weights, values, next.subspan(first, values.size()));
  });
}

}  // namespace hansa::server
