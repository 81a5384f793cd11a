// The JSON form of metrics in all commands: {"accuracy": {"mean": 0.87, "sum": 8700, "count": 10000}}.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "common/training.h"

namespace hansa::tools {

[[nodiscard]] nlohmann::json metrics_json(const Metrics& metrics);

}  // namespace hansa::tools
