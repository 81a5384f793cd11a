// The randomised Hadamard transform of a block, in place. Scalar references: targets.h.
//
// The transform spreads a vector's norm evenly over its values: whatever their distribution was, it is nearly normal
// afterwards (Ailon, Chazelle, 2006), and one scale fits all of them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace hansa::kernels {

inline constexpr std::size_t hadamard_values_min = 16;
inline constexpr float no_limit = std::numeric_limits<float>::infinity();

// values = H values, where H is the unnormalised Walsh-Hadamard matrix (entries +-1) in natural order: the norm grows
// by the square root of the size, and applying it twice multiplies by the size. The size is a power of two and at least
// hadamard_values_min.
void hadamard(std::span<float> values);
void hadamard_reference(std::span<float> values);

// out[i] = values[i] with a random sign that depends on seed and i, clamped to +-limit. The limit may be infinite. The
// spans have equal sizes and may be the same; values are not NaN.
void flip_signs(std::span<const float> values, std::uint64_t seed, float limit, std::span<float> out);
void flip_signs_reference(std::span<const float> values, std::uint64_t seed, float limit,
                          std::span<float> out);

}  // namespace hansa::kernels
