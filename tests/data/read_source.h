// The examples of a source as vectors, for comparisons.
#pragma once
#include <numeric>
#include <vector>

#include "learning/data/data_source.h"

namespace hansa::learning::testing {

using Indices = std::vector<std::uint32_t>;

[[nodiscard]] inline Indices all_of(const DataSource& source) {
  Indices out(source.example_count());
  std::iota(out.begin(), out.end(), 0U);
  return out;
}

[[nodiscard]] inline std::vector<float> read_inputs(const DataSource& source, const Indices& indices) {
  std::vector<float> out(indices.size() * source.shape().input_elements());
  source.read_inputs(indices, out);
  return out;
}

// T is std::int64_t for classes, float for real targets.
template <class T>
[[nodiscard]] std::vector<T> read_targets(const DataSource& source, const Indices& indices) {
  std::vector<T> out(indices.size() * source.shape().target_elements());
  source.read_targets(indices, std::span(out));
  return out;
}

}  // namespace hansa::learning::testing
