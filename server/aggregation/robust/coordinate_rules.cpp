#include "server/aggregation/robust/coordinate_rules.h"

#include <cassert>

#include "server/aggregation/robust/coordinates.h"
#include "server/aggregation/robust/vectors_of.h"

namespace hansa::server {

void CoordinateMedian::estimate(std::span<const RobustUpdate> updates, WorkerPool& workers,
                                std::span<float> out) const {
  internal::for_coordinates(internal::vectors_of(updates), workers, out, [](std::span<float> values) {
    return static_cast<float>(internal::median(values));
  });
}

std::size_t TrimmedMean::trimmed(std::size_t count) const {
  // The tolerance is for fractions such as 0.2, whose multiples are a bit too small.
  const auto whole = static_cast<std::size_t>(fraction_ * static_cast<double>(count) + 1e-9);
  return std::clamp<std::size_t>(whole, 1, (count - 1) / 2);
}

void TrimmedMean::estimate(std::span<const RobustUpdate> updates, WorkerPool& workers,
                           std::span<float> out) const {
  assert(updates.size() >= updates_min());
  const std::size_t trim = trimmed(updates.size());
  internal::for_coordinates(internal::vectors_of(updates), workers, out, [trim](std::span<float> values) {
    std::ranges::sort(values);
    double sum = 0;
    for (const float value : values.subspan(trim, values.size() - 2 * trim))
      sum += static_cast<double>(value);
    return static_cast<float>(sum / static_cast<double>(values.size() - 2 * trim));
  });
}

}  // namespace hansa::server
