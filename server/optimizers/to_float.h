// A double as the nearest float32 that is finite.
#pragma once
#include <algorithm>
#include <limits>

namespace hansa::server {

[[nodiscard]] inline float to_float(double value) {
  constexpr double largest = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(value, -largest, largest));
}

}  // namespace hansa::server
