#include "server/aggregation/vector_squares.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "common/kernels/vectors.h"

namespace hansa::server {

VectorSquares::VectorSquares(std::size_t elements, std::size_t vectors)
    : size_(elements / vectors), squares_(vectors) {
  assert(size_ * vectors == elements);
}

void VectorSquares::add(std::span<const float> values, std::size_t first) {
  while (!values.empty()) {
    const std::size_t vector = first / size_;
    const std::size_t count = std::min(values.size(), (vector + 1) * size_ - first);
    squares_[vector] += kernels::sum_of_squares(values.first(count));
    values = values.subspan(count);
    first += count;
  }
}

std::vector<double> VectorSquares::norms() const {
  std::vector<double> out;
  for (const double squares : squares_) out.push_back(std::sqrt(squares));
  return out;
}

}  // namespace hansa::server
