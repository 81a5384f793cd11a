// The grid of a secure sum of integers: every integer is a level, so that the sum is exact.
#pragma once
#include <bit>
#include <cstdint>

#include "protocols/secure_aggregation/setup.h"

namespace hansa::secure_aggregation {

// For updates of weight 1 whose values are integers of at most `magnitude`, 1 to levels_max / 2, in segments with scales
// of 1. clients * 2 * magnitude is below 2^32.
[[nodiscard]] inline Quantisation integer_quantisation(std::uint32_t clients, std::uint32_t magnitude) {
  Quantisation out;
  out.levels = 2 * magnitude;
  out.ring_bits = static_cast<std::uint32_t>(std::bit_width(std::uint64_t{clients} * out.levels));
  out.clip = magnitude;
  return out;
}

}  // namespace hansa::secure_aggregation
