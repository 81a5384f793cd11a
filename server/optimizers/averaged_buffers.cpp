#include "server/optimizers/averaged_buffers.h"

namespace hansa::server {

void AveragedBuffers::step(std::span<const float> model, const Mean& mean,
                           std::span<const std::span<float>> state, std::span<float> next) const {
  const auto step_range = [&](const ServerOptimizer& optimizer, std::size_t first, std::size_t count,
                              std::span<const std::span<float>> all) {
    if (count == 0) return;
    std::vector<std::span<float>> part;
    for (const std::span<float> vector : all) part.push_back(vector.subspan(first, count));
    optimizer.step(model.subspan(first, count), PartOfMean(mean, first, count), part,
                   next.subspan(first, count));
  };
  std::size_t at = 0;
  for (const auto& [first, count] : averaged_) {
    step_range(*trained_, at, first - at, state);
    step_range(average_, first, count, {});
    at = first + count;
  }
  step_range(*trained_, at, mean.elements() - at, state);
}

}  // namespace hansa::server
