// The examples of a source as vectors, for comparisons.
#pragma once
#include <numeric>
#include <vector>

#include "learning/data/dense_source.h"

namespace hansa::learning::testing {

using Indices = std::vector<std::uint32_t>;

[[nodiscard]] inline Indices all_of(const DataSource& source) {
  Indices out(source.example_count());
  std::iota(out.begin(), out.end(), 0U);
  return out;
}

// The first input.
template <class T = float>
[[nodiscard]] std::vector<T> read_inputs(const DataSource& source, const Indices& indices) {
  return read_tensor<T>(source, 0, indices).value();
}

// The first target. T is std::int64_t for classes, float for real targets.
template <class T>
[[nodiscard]] std::vector<T> read_targets(const DataSource& source, const Indices& indices) {
  return read_tensor<T>(source, source.shape().inputs.size(), indices).value();
}

// The values of tensor `tensor` of examples, of which there may be none.
template <class T>
[[nodiscard]] std::vector<T> values_of(const Examples& examples, std::size_t tensor) {
  return examples.tensors.empty() ? std::vector<T>() : examples.values<T>(tensor);
}

}  // namespace hansa::learning::testing
