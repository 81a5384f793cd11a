// Quantisation of values to codes of a few bits on a symmetric grid, and packing of codes into bytes. Scalar
// references: targets.h.
//
// The code c of b bits stands for the level 2 c + 1 - 2^b: an odd number from -(2^b - 1) to 2^b - 1. One bit is the
// sign.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace hansa::kernels {

// codes[i] = floor(values[i] * inverse + 2^(bits - 1)), clamped to 0 to 2^bits - 1. Its level is the nearest to
// values[i] * 2 * inverse. The spans have equal sizes; values are finite; 1 <= bits <= 8.
//
// Returns the sum of (values[i] * inverse) * level(codes[i]) in float32. It is computed in 16 parts: value i is added
// to part i mod 16, in order; then the upper half of the parts is added to the lower half until one part is left. Only
// values that round to zero can give a negative term, so that the relative error of n values is at most n / 16 * 2^-24.
float quantise_nearest(std::span<const float> values, float inverse, unsigned bits,
                       std::span<std::uint8_t> codes);
float quantise_nearest_reference(std::span<const float> values, float inverse, unsigned bits,
                                 std::span<std::uint8_t> codes);

// codes[i] = floor(values[i] * inverse + (2^bits - 1) / 2 + u), clamped in the same way. u is a random number in [0,
// 1), a multiple of 2^-16 that depends on seed and i. The expected level equals values[i] * 2 * inverse where
// |values[i]| * inverse <= (2^bits - 1) / 2.
void quantise_random(std::span<const float> values, float inverse, unsigned bits, std::uint64_t seed,
                     std::span<std::uint8_t> codes);
void quantise_random_reference(std::span<const float> values, float inverse, unsigned bits,
                               std::uint64_t seed, std::span<std::uint8_t> codes);

// out[i] = float(level(codes[i])) * scale.
void levels_to_values(std::span<const std::uint8_t> codes, unsigned bits, float scale, std::span<float> out);
void levels_to_values_reference(std::span<const std::uint8_t> codes, unsigned bits, float scale,
                                std::span<float> out);

// The sum of level(codes[i])^2, exactly. At most 2^16 codes.
[[nodiscard]] std::uint64_t sum_of_squared_levels(std::span<const std::uint8_t> codes, unsigned bits);
[[nodiscard]] std::uint64_t sum_of_squared_levels_reference(std::span<const std::uint8_t> codes,
                                                            unsigned bits);

[[nodiscard]] constexpr std::size_t packed_code_bytes(std::size_t codes, unsigned bits) {
  return (codes * bits + 7) / 8;
}
// Code i takes the bits i * bits to (i + 1) * bits - 1, counted from the lowest bit of the first byte. Bits after the
// last code are 0. packed has packed_code_bytes() bytes.
void pack_codes(std::span<const std::uint8_t> codes, unsigned bits, std::span<std::uint8_t> packed);
void pack_codes_reference(std::span<const std::uint8_t> codes, unsigned bits, std::span<std::uint8_t> packed);
void unpack_codes(std::span<const std::uint8_t> packed, unsigned bits, std::span<std::uint8_t> codes);
void unpack_codes_reference(std::span<const std::uint8_t> packed, unsigned bits,
                            std::span<std::uint8_t> codes);

// The largest magnitude; infinite if a value is infinite or NaN.
[[nodiscard]] float largest_magnitude(std::span<const float> values);
[[nodiscard]] float largest_magnitude_reference(std::span<const float> values);

}  // namespace hansa::kernels
