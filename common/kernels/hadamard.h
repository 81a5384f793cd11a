// The randomised Hadamard transform of a block, in place. Scalar twins: targets.h.
//
// It spreads a vector's length evenly over its values: after it they are nearly normally distributed, whatever they were
// before (Ailon, Chazelle, 2006), and a grid with one scale fits them all.
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace hansa::kernels {

inline constexpr std::size_t hadamard_values_min = 16;
inline constexpr float no_limit = std::numeric_limits<float>::infinity();

// values = H values, with the Walsh-Hadamard matrix of +-1 in natural order: length grows by the root of the size, and
// applied twice it multiplies by the size. The size is a power of two from hadamard_values_min on.
void hadamard(std::span<float> values);
void hadamard_reference(std::span<float> values);

// out = values with the sign of a random half of them turned, the same ones for the same seed, and held within +-limit,
// which may be infinite. Sizes are equal; out may be values; values are not NaN.
void flip_signs(std::span<const float> values, std::uint64_t seed, float limit, std::span<float> out);
void flip_signs_reference(std::span<const float> values, std::uint64_t seed, float limit,
                          std::span<float> out);

}  // namespace hansa::kernels
