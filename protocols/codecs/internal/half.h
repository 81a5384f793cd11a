// Conversion of float32 to 16-bit floats and back by integer arithmetic, with the same result on every machine. Rounds
// to nearest, ties to even.
#pragma once
#include <bit>
#include <cstdint>

namespace hansa::codecs::internal {

inline constexpr float f16_max = 65504.0F;

// The value is finite. Magnitudes above f16_max become f16_max.
[[nodiscard]] inline std::uint16_t to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000;
  std::uint32_t magnitude = bits & 0x7FFFFFFF;
  constexpr std::uint32_t largest = std::bit_cast<std::uint32_t>(f16_max);
  magnitude = magnitude > largest ? largest : magnitude;
  // For values below the smallest normal float16: adding 1/2 rounds to multiples of 2^-24, the unit in the last place
  // of both the sum and a subnormal float16.
  const std::uint32_t small = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) -
                              std::bit_cast<std::uint32_t>(0.5F);
  // For normal values: changes the exponent bias from 127 to 15 and rounds 13 bits away.
  const std::uint32_t normal = (magnitude - (112U << 23) + 0xFFF + (magnitude >> 13 & 1)) >> 13;
  return static_cast<std::uint16_t>(sign | (magnitude < 113U << 23 ? small : normal));
}
[[nodiscard]] inline float from_f16(std::uint16_t half) {
  // The bits give a float32 whose exponent is too small by 112. The multiplication by 2^112 is exact.
  const std::uint32_t magnitude = (half & 0x7FFFU) << 13;
  const float value = std::bit_cast<float>(magnitude) * 0x1p112F;
  const std::uint32_t bits =
      (half & 0x7C00) == 0x7C00 ? magnitude | 0x7F800000 : std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>(bits | (half & 0x8000U) << 16);
}

// The value is finite. A value that would round to infinity becomes the largest bfloat16.
[[nodiscard]] inline std::uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
  return static_cast<std::uint16_t>((rounded & 0x7FFF) > 0x7F7F ? (rounded & 0x8000) | 0x7F7F : rounded);
}
[[nodiscard]] inline float from_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

}  // namespace hansa::codecs::internal
