#include "server/aggregation/robust/geometric_median.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "server/aggregation/robust/distances.h"
#include "server/aggregation/robust/vectors_of.h"

namespace hansa::server {

void GeometricMedian::estimate(std::span<const RobustUpdate> updates, WorkerPool& workers,
                               std::span<float> out) const {
  assert(!updates.empty());
  const auto vectors = internal::vectors_of(updates);
  std::vector<double> shares;  // of the examples
  for (const RobustUpdate& update : updates) shares.push_back(static_cast<double>(update.weight));
  const double total = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= total;

  internal::weighted_sum(vectors, shares, workers, out);
  double before = 0;
  for (unsigned pass = 0; pass <= options_.passes_max; ++pass) {
    const std::vector<double> squares = internal::squared_distances_to(out, vectors, workers);
    std::vector<double> factors;
    double sum_of_distances = 0, sum = 0;
    for (std::size_t i = 0; i < squares.size(); ++i) {
      const double distance = std::sqrt(squares[i]);
      sum_of_distances += shares[i] * distance;
      factors.push_back(shares[i] / std::max(options_.smoothing, distance));
      sum += factors.back();
    }
    const bool is_settled = pass > 0 && std::abs(before - sum_of_distances) <= options_.tolerance * before;
    if (is_settled || pass == options_.passes_max) return;
    before = sum_of_distances;
    for (double& factor : factors) factor /= sum;
    internal::weighted_sum(vectors, factors, workers, out);
  }
}

}  // namespace hansa::server
