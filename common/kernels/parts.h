// The end of a sum in parts: the upper half is added to the lower half until one is left, so that the result is the same on
// processors of every width.
#pragma once
#include <cstddef>

namespace hansa::kernels {

// A power of two of them; they are used up.
template <class Number, std::size_t parts>
[[nodiscard]] Number sum_of_parts(Number (&part)[parts]) {
  for (std::size_t half = parts / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) part[i] += part[i + half];
  return part[0];
}

}  // namespace hansa::kernels
