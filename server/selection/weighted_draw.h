// Draws without replacement, each item with a probability in proportion to its weight among those that are left:
// Efraimidis, Spirakis, "Weighted random sampling with a reservoir" (2006), algorithm A.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "common/random.h"

namespace hansa::server::internal {

// Indices of `size` weights, in the order in which they were drawn. size <= weights.size(); weights are finite and not
// negative. Items of weight 0 come last.
[[nodiscard]] inline std::vector<std::size_t> weighted_draw(std::span<const double> weights, std::size_t size,
                                                            Random& random) {
  std::vector<std::pair<double, std::size_t>> keys;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double exponential = -std::log(1 - random.uniform());
    keys.emplace_back(weights[i] > 0 ? exponential / weights[i] : HUGE_VAL, i);
  }
  std::ranges::sort(keys);
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < size; ++i) out.push_back(keys[i].second);
  return out;
}

}  // namespace hansa::server::internal
