#include "server/selection/cohort_policy.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "server/selection/by_examples.h"
#include "server/selection/new_data.h"
#include "server/selection/oort.h"
#include "server/selection/power_of_choice.h"
#include "server/selection/uniform.h"

namespace hansa::server {
namespace {

using Made = std::unique_ptr<CohortPolicy>;

// In the order of cohort_policy_names.
constexpr Made (*makers[])(const SelectionConfig&) = {
    [](const SelectionConfig&) -> Made { return std::make_unique<UniformSelection>(); },
    [](const SelectionConfig&) -> Made { return std::make_unique<SelectionByExamples>(); },
    [](const SelectionConfig&) -> Made { return std::make_unique<NewDataSelection>(); },
    [](const SelectionConfig& config) -> Made { return std::make_unique<PowerOfChoice>(config.candidates); },
    [](const SelectionConfig& config) -> Made { return std::make_unique<Oort>(config); },
};
static_assert(std::size(makers) == cohort_policy_names.size());

}  // namespace

Result<std::unique_ptr<CohortPolicy>> make_cohort_policy(const SelectionConfig& config) {
  const auto found = std::ranges::find(cohort_policy_names, config.name);
  if (found != cohort_policy_names.end()) return makers[found - cohort_policy_names.begin()](config);
  std::string known;
  for (const std::string_view other : cohort_policy_names)
    known += (known.empty() ? "" : ", ") + std::string(other);
  return fail(ErrorCode::usage, "strategy.selection", "is unknown: \"" + config.name + "\"",
              "choose one of: " + known);
}

}  // namespace hansa::server
