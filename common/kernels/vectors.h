// Plain loops over float vectors. Scalar twins: targets.h. Sums are of eight parts, value i in part i mod 8, each in order, and
// then ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)): the same on processors of every width.
#pragma once
#include <cstdint>
#include <span>

namespace hansa::kernels {

[[nodiscard]] double sum_of_squares(std::span<const float> values);
[[nodiscard]] double sum_of_squares_reference(std::span<const float> values);

// Of values[i] times the level of codes[i] (levels.h).
[[nodiscard]] double sum_along_levels(std::span<const float> values, std::span<const std::uint8_t> codes,
                                      unsigned bits);
[[nodiscard]] double sum_along_levels_reference(std::span<const float> values,
                                                std::span<const std::uint8_t> codes, unsigned bits);

// out[i] += sign * values[i], rounded once. Sizes are equal.
void add_values(std::span<float> out, std::span<const float> values, float sign);
void add_values_reference(std::span<float> out, std::span<const float> values, float sign);

// out[i] = a[i] - b[i].
void subtract(std::span<const float> a, std::span<const float> b, std::span<float> out);
void subtract_reference(std::span<const float> a, std::span<const float> b, std::span<float> out);

// Values beyond +-limit become it; values are not NaN.
void hold_within(std::span<float> values, float limit);
void hold_within_reference(std::span<float> values, float limit);

}  // namespace hansa::kernels
