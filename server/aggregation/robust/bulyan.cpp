#include "server/aggregation/robust/bulyan.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "server/aggregation/robust/coordinates.h"
#include "server/aggregation/robust/krum.h"
#include "server/aggregation/robust/vectors_of.h"

namespace hansa::server {
namespace {

// The mean of the `count` values that are nearest to the median; of two that are as near, the smaller one.
double mean_near_median(std::span<float> values, std::size_t count) {
  const double middle = internal::median(values);
  std::ranges::sort(values);
  // The nearest ones lie side by side: the window moves up while the value above it is nearer than its lowest one.
  std::size_t first = 0;
  while (first + count < values.size() && std::abs(static_cast<double>(values[first + count]) - middle) <
                                              std::abs(static_cast<double>(values[first]) - middle))
    ++first;
  double sum = 0;
  for (const float value : values.subspan(first, count)) sum += static_cast<double>(value);
  return sum / static_cast<double>(count);
}

}  // namespace

void Bulyan::estimate(std::span<const RobustUpdate> updates, WorkerPool& workers,
                      std::span<float> out) const {
  assert(updates.size() >= updates_min());
  const auto vectors = internal::vectors_of(updates);
  const internal::DistanceMatrix distances = internal::squared_distances(vectors, workers);
  std::vector<std::size_t> left(vectors.size()), chosen;
  std::iota(left.begin(), left.end(), std::size_t{0});
  while (chosen.size() < vectors.size() - 2 * faulty_) {
    const std::vector<double> scores = internal::krum_scores(distances, left, faulty_);
    const auto best = std::ranges::min_element(scores) - scores.begin();
    chosen.push_back(left[static_cast<std::size_t>(best)]);
    left.erase(left.begin() + best);
  }
  std::ranges::sort(chosen);
  std::vector<std::span<const float>> of_chosen;
  for (const std::size_t i : chosen) of_chosen.push_back(vectors[i]);
  const std::size_t averaged = chosen.size() - 2 * faulty_;
  internal::for_coordinates(of_chosen, workers, out, [averaged](std::span<float> values) {
    return static_cast<float>(mean_near_median(values, averaged));
  });
}

}  // namespace hansa::server
