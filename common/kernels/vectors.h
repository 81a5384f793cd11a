// Plain loops over float vectors. Scalar twins: targets.h.
#pragma once
#include <cstdint>
#include <span>

namespace hansa::kernels {

// In 32 parts, value i in part i mod 32, each in order; then the upper half of the parts is added to the lower half, until
// one is left: the same on processors of every width.
[[nodiscard]] double sum_of_squares(std::span<const float> values);
[[nodiscard]] double sum_of_squares_reference(std::span<const float> values);

// out[i] += sign * values[i], rounded once. Sizes are equal.
void add_values(std::span<float> out, std::span<const float> values, float sign);
void add_values_reference(std::span<float> out, std::span<const float> values, float sign);

// out[i] = a[i] - b[i].
void subtract(std::span<const float> a, std::span<const float> b, std::span<float> out);
void subtract_reference(std::span<const float> a, std::span<const float> b, std::span<float> out);

}  // namespace hansa::kernels
