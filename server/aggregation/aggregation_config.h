// How the updates of a round become one vector, with the options of each rule: [strategy] of federation.toml.
#pragma once
#include <array>
#include <string>
#include <string_view>

namespace hansa::server {

inline constexpr std::array<std::string_view, 1> aggregation_names{"mean"};

struct AggregationConfig {
  std::string name = "mean";  // one of aggregation_names
};

}  // namespace hansa::server
