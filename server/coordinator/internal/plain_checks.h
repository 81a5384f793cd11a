// What the updates of a round, which the aggregator sees, tell about single clients.
//
// A single update with huge values or a huge weight decides the mean. Its values are within magnitude_max, and its
// weight within examples_max, so that each alone looks possible: only the other updates of the round show that it is
// not like them. Pure functions.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "common/error.h"
#include "common/methods.h"
#include "server/aggregation/update_setup.h"
#include "server/coordinator/config.h"

namespace hansa::server {

// The most examples that a client trains on in a round, whatever its data: the method's limit on the steps.
[[nodiscard]] std::uint64_t trained_most(const Method& method);

// The largest weight that fits a client's report, with room for data that arrived since.
[[nodiscard]] std::uint64_t weight_limit(std::uint64_t reported, const Method& method,
                                         std::uint64_t examples_max);

// Fails (protocol) if an update of this many examples is not possible for a client that reported `reported` of them.
[[nodiscard]] Result<void> check_examples(const OperatorSettings& settings, std::uint64_t reported,
                                          std::uint64_t examples);
// The sizes of updates that the aggregator sees.
[[nodiscard]] UpdateSizes plain_update_sizes(const CoordinatorConfig& config);

// ratio_max times the median of those norms that are above 0; infinite if fewer than three are.
[[nodiscard]] double norm_limit(std::span<const double> norms, double ratio_max);

// The indices of the norms above `ratio_max` times the median of those above 0. Empty if fewer than three are above 0:
// of two, either may be the wrong one. Fewer than half of the clients cannot move the median out of the range of the
// others' norms.
[[nodiscard]] std::vector<std::size_t> outliers(std::span<const double> norms, double ratio_max);

}  // namespace hansa::server
