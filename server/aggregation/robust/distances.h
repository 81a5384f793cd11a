// Squared Euclidean distances between vectors, in double precision. The bits do not depend on the number of threads: sums
// are over fixed stripes of the vectors, added in order.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "server/aggregation/worker_pool.h"

namespace hansa::server::internal {

// A symmetric matrix of count x count, with zeros on the diagonal.
class DistanceMatrix {
 public:
  explicit DistanceMatrix(std::size_t count) : count_(count), values_(count * count) {}
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] double at(std::size_t i, std::size_t j) const { return values_[i * count_ + j]; }
  void set(std::size_t i, std::size_t j, double value) {
    values_[i * count_ + j] = values_[j * count_ + i] = value;
  }

 private:
  std::size_t count_;
  std::vector<double> values_;
};

// Between all pairs of vectors of equal sizes.
[[nodiscard]] DistanceMatrix squared_distances(std::span<const std::span<const float>> vectors,
                                               WorkerPool& workers);
// From each vector to the centre.
[[nodiscard]] std::vector<double> squared_distances_to(std::span<const float> centre,
                                                       std::span<const std::span<const float>> vectors,
                                                       WorkerPool& workers);
// out = the sum over factors[i] * vectors[i], in double precision, rounded once.
void weighted_sum(std::span<const std::span<const float>> vectors, std::span<const double> factors,
                  WorkerPool& workers, std::span<float> out);

}  // namespace hansa::server::internal
