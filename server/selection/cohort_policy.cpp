#include "server/selection/cohort_policy.h"

#include <string>

#include "server/selection/uniform.h"

namespace hansa::server {

// Has a line for each of cohort_policy_names.
Result<std::unique_ptr<CohortPolicy>> make_cohort_policy(std::string_view name) {
  if (name == "uniform") return std::make_unique<UniformSelection>();
  std::string known;
  for (const std::string_view other : cohort_policy_names)
    known += (known.empty() ? "" : ", ") + std::string(other);
  return fail(ErrorCode::usage, "strategy.selection", "is unknown: \"" + std::string(name) + "\"",
              "choose one of: " + known);
}

}  // namespace hansa::server
