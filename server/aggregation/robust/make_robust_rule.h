// Makes the robust rule of a configuration.
#pragma once
#include <memory>

#include "server/aggregation/aggregation_config.h"
#include "server/aggregation/robust/robust_rule.h"

namespace hansa::server {

// config.name is none of "mean".
[[nodiscard]] std::unique_ptr<RobustRule> make_robust_rule(const AggregationConfig& config);

}  // namespace hansa::server
