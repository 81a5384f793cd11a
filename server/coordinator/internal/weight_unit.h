// The unit of the weights in a secure sum: values are multiplied by weight / unit before they are rounded.
#pragma once
#include <cstdint>
#include <span>

namespace hansa::server {

// The largest number of examples that a client of the cohort reports, which is a power of two at least as large as its
// weight, but at most four times the median of the reports and at most examples_max (limits.examples_max).
//
// A report is a claim, and a unit that is too large gives whoever sends a small weight a large influence: the range of a
// rounded value is clip * unit, whatever its weight. Fewer than half of the clients cannot move the median out of the
// range of the others' reports. A client with more examples than the unit is not limited in its weight; only its values
// are clipped earlier. reports: one for each client of the cohort, each at least 1; at least one. The result is at
// least 1.
[[nodiscard]] std::uint64_t weight_unit(std::span<const std::uint64_t> reports, std::uint64_t examples_max);

}  // namespace hansa::server
