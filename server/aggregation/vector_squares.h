// The Euclidean norms of an update's vectors, which follow each other, from parts of the update in any order.
//
// Each vector has a norm of its own: a vector that a method exchanges may be small against the delta, so that a lie in it does not
// show in the norm of the whole.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace hansa::server {

class VectorSquares {
 public:
  // vectors: at least 1, a divisor of elements.
  VectorSquares(std::size_t elements, std::size_t vectors);
  // The values from `first` on. Each value is added once.
  void add(std::span<const float> values, std::size_t first);
  [[nodiscard]] std::vector<double> norms() const;

 private:
  std::size_t size_;  // of a vector
  std::vector<double> squares_;
};

}  // namespace hansa::server
