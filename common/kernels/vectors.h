// Simple loops over float vectors. Scalar references: targets.h.
#pragma once
#include <cstdint>
#include <span>

namespace hansa::kernels {

// Computed in 32 parts: value i is added to part i mod 32, in order; then the upper half of the parts is added to the
// lower half until one part is left. So the result does not depend on the processor's vector width.
[[nodiscard]] double sum_of_squares(std::span<const float> values);
[[nodiscard]] double sum_of_squares_reference(std::span<const float> values);

// out[i] += sign * values[i], where sign is +1 or -1. The spans have equal sizes.
void add_values(std::span<float> out, std::span<const float> values, float sign);
void add_values_reference(std::span<float> out, std::span<const float> values, float sign);

// out[i] = a[i] - b[i].
void subtract(std::span<const float> a, std::span<const float> b, std::span<float> out);
void subtract_reference(std::span<const float> a, std::span<const float> b, std::span<float> out);

}  // namespace hansa::kernels
