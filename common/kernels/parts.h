// The final additions of a sum that was computed in parts. Their order is fixed, so that the result does not depend on
// the processor's vector width.
#pragma once
#include <cstddef>

namespace hansa::kernels {

// Adds the upper half of the parts to the lower half until one is left. The number of parts is a power of two; the
// array is overwritten.
template <class Number, std::size_t parts>
[[nodiscard]] Number sum_of_parts(Number (&part)[parts]) {
  for (std::size_t half = parts / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) part[i] += part[i + half];
  return part[0];
}

}  // namespace hansa::kernels
