#include "server/aggregation/robust/krum.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "server/aggregation/robust/vectors_of.h"

namespace hansa::server {

std::vector<double> internal::krum_scores(const DistanceMatrix& distances, std::span<const std::size_t> among,
                                          std::size_t faulty) {
  const std::size_t others = among.size() - 1;
  const std::size_t wanted = among.size() > faulty + 2 ? among.size() - faulty - 2 : 1;
  const std::size_t neighbours = std::min(wanted, others);
  std::vector<double> out, row;
  for (const std::size_t i : among) {
    row.clear();
    for (const std::size_t j : among)
      if (j != i) row.push_back(distances.at(i, j));
    std::ranges::sort(row);
    out.push_back(std::accumulate(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(neighbours), 0.0));
  }
  return out;
}

std::size_t Krum::updates_min() const { return std::max(2 * faulty_ + 3, chosen_); }

void Krum::estimate(std::span<const RobustUpdate> updates, WorkerPool& workers, std::span<float> out) const {
  assert(updates.size() >= updates_min());
  const auto vectors = internal::vectors_of(updates);
  std::vector<std::size_t> order(vectors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::vector<double> scores =
      internal::krum_scores(internal::squared_distances(vectors, workers), order, faulty_);
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return scores[i]; });
  order.resize(chosen_ == 0 ? vectors.size() - faulty_ : chosen_);
  std::ranges::sort(order);
  std::vector<std::span<const float>> chosen;
  for (const std::size_t i : order) chosen.push_back(vectors[i]);
  const std::vector<double> factors(chosen.size(), 1.0 / static_cast<double>(chosen.size()));
  internal::weighted_sum(chosen, factors, workers, out);
}

}  // namespace hansa::server
