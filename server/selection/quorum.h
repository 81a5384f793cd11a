// How many updates of a cohort a round needs. Pure.
#pragma once
#include <cstdint>

namespace hansa::server {

// fraction times cohort, rounded to the nearest whole number, halves up; at least 1, at most the cohort. fraction: above
// 0, to 1. So the default of 0.8 lets one client of 3, 4, 5, 6 or 7 be missing, and none of 2.
[[nodiscard]] std::uint32_t quorum_of(double fraction, std::uint32_t cohort);

}  // namespace hansa::server
