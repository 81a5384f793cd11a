// The limits of the numbers by which values become ring elements.
//
// Within them every quotient of a float32 value, a weight and these numbers is a finite double, so that nothing is
// infinite or NaN where a value is rounded to a ring element. The clips and scales of choose_range() (quantise.h) are
// within the limits, also after a change of the weight unit.
#pragma once
#include "protocols/secure_aggregation/setup.h"

namespace hansa::secure_aggregation {

inline constexpr double clip_lowest = 0x1p-40, clip_highest = 0x1p40;
inline constexpr double weight_unit_lowest = 0x1p-48, weight_unit_highest = 0x1p48;
inline constexpr double scale_lowest = 0x1p-128, scale_highest = 0x1p128;

// Fails with `usage` if a clip, weight unit, fraction or scale is out of its range, or is not a number.
[[nodiscard]] Result<void> check_numbers(const SumSetup& setup);

}  // namespace hansa::secure_aggregation
