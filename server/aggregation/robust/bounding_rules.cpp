#include "server/aggregation/robust/bounding_rules.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

#include "server/aggregation/robust/distances.h"
#include "server/aggregation/robust/vectors_of.h"

namespace hansa::server {
namespace {

std::vector<double> roots_of(std::vector<double> squares) {
  for (double& value : squares) value = std::sqrt(value);
  return squares;
}

// Of two in the middle, the lower one.
double lower_median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

double scale_to(double most, double norm) { return norm > most ? most / norm : 1.0; }

}  // namespace

void NormBound::estimate(std::span<const RobustUpdate> updates, WorkerPool& workers,
                         std::span<float> out) const {
  assert(!updates.empty());
  const auto vectors = internal::vectors_of(updates);
  std::ranges::fill(out, 0.0F);
  const std::vector<double> norms = roots_of(internal::squared_distances_to(out, vectors, workers));
  const double most = norm_ > 0 ? norm_ : lower_median(norms);
  double examples = 0;
  for (const RobustUpdate& update : updates) examples += static_cast<double>(update.weight);
  std::vector<double> factors;
  for (std::size_t i = 0; i < updates.size(); ++i)
    factors.push_back(scale_to(most, norms[i]) * static_cast<double>(updates[i].weight) / examples);
  internal::weighted_sum(vectors, factors, workers, out);
}

void CentredClipping::estimate(std::span<const RobustUpdate> updates, WorkerPool& workers,
                               std::span<float> out) const {
  assert(!updates.empty());
  auto vectors = internal::vectors_of(updates);
  const auto count = static_cast<double>(updates.size());
  std::vector<float> centre(out.begin(), out.end());
  for (unsigned pass = 0; pass < passes_; ++pass) {
    const std::vector<double> distances = roots_of(internal::squared_distances_to(centre, vectors, workers));
    const double radius = radius_ > 0 ? radius_ : lower_median(distances);
    // centre + mean of scale * (update - centre), as one weighted sum.
    std::vector<double> factors;
    double of_centre = 1;
    for (const double distance : distances) {
      const double factor = scale_to(radius, distance) / count;
      factors.push_back(factor);
      of_centre -= factor;
    }
    auto all = vectors;
    all.emplace_back(centre);
    factors.push_back(of_centre);
    internal::weighted_sum(all, factors, workers, out);
    std::ranges::copy(out, centre.begin());
  }
}

}  // namespace hansa::server
