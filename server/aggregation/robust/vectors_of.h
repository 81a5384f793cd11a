// The values of updates without their weights.
#pragma once
#include <span>
#include <vector>

#include "server/aggregation/robust/robust_rule.h"

namespace hansa::server::internal {

[[nodiscard]] inline std::vector<std::span<const float>> vectors_of(std::span<const RobustUpdate> updates) {
  std::vector<std::span<const float>> out;
  out.reserve(updates.size());
  for (const RobustUpdate& update : updates) out.push_back(update.values);
  return out;
}

}  // namespace hansa::server::internal
