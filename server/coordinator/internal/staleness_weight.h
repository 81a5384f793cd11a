// What an update of a buffer counts: Nguyen et al., "Federated Learning with Buffered Asynchronous Aggregation" (AISTATS
// 2022), section 5, with the polynomial of Xie et al., "Asynchronous Federated Optimization" (2019), and its exponent 1/2.
//
// Sums are of integers, so that weights are multiples of 1 / unit. Pure functions.
#pragma once
#include <cstdint>

#include "server/aggregation/update_setup.h"
#include "server/coordinator/config.h"

namespace hansa::server {

// The weight of an update without staleness: `unit` for each update, or for each of its examples.
[[nodiscard]] std::uint64_t full_weight(const OperatorSettings& settings, std::uint64_t examples);
// full_weight / sqrt(1 + staleness), rounded to the nearest integer, and at least 1.
[[nodiscard]] std::uint64_t stale_weight(std::uint64_t full_weight, std::uint32_t staleness);
// The weight of a group's sum (grouped_rounds.h) without staleness: its clients' examples are in the sum.
inline constexpr std::uint64_t group_weight = 1 << 16;
// What the sum of a buffer of these settings accepts.
[[nodiscard]] AccumulationBounds buffer_bounds(const OperatorSettings& settings);

}  // namespace hansa::server
