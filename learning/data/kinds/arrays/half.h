// Numbers of 16 bits (IEEE 754 binary16, and bfloat16), which C++20 has no types for.
#pragma once
#include <bit>
#include <cstdint>

namespace hansa::learning::kinds {

// Exact: each such number is a float32.
[[nodiscard]] inline float float_of_half(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t{half} >> 15 << 31;
  const std::uint32_t exponent = half >> 10 & 0x1f;
  const std::uint32_t fraction = half & 0x3ff;
  if (exponent == 0) {  // 0, and the subnormal numbers: fraction * 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  // The bias of the exponent is 15 there and 127 here. Infinity and NaN have the largest exponent.
  const std::uint32_t wide = exponent == 0x1f ? 0xff : exponent + 127 - 15;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

// The upper half of a float32.
[[nodiscard]] inline float float_of_bfloat(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

}  // namespace hansa::learning::kinds
