#include "server/selection/cohort_policy.h"

#include <array>

#include "server/selection/uniform.h"

namespace hansa::server {
namespace {

constexpr std::array<std::string_view, 1> names{"uniform"};

}  // namespace

std::span<const std::string_view> cohort_policies() { return names; }

Result<std::unique_ptr<CohortPolicy>> make_cohort_policy(std::string_view name) {
  if (name == "uniform") return std::make_unique<UniformSelection>();
  return fail(ErrorCode::usage, "strategy.selection", "is unknown: \"" + std::string(name) + "\"",
              "choose one of: uniform");
}

}  // namespace hansa::server
