#include "server/aggregation/robust/make_robust_rule.h"

#include <algorithm>
#include <cassert>
#include <iterator>

#include "server/aggregation/robust/bounding_rules.h"
#include "server/aggregation/robust/bulyan.h"
#include "server/aggregation/robust/coordinate_rules.h"
#include "server/aggregation/robust/geometric_median.h"
#include "server/aggregation/robust/krum.h"

namespace hansa::server {
namespace {

using Made = std::unique_ptr<RobustRule>;
using Make = Made (*)(const AggregationConfig&);

// In the order of aggregation_names, without the first, which is "mean".
constexpr Make makers[] = {
    [](const AggregationConfig&) -> Made { return std::make_unique<CoordinateMedian>(); },
    [](const AggregationConfig& config) -> Made { return std::make_unique<TrimmedMean>(config.trim); },
    [](const AggregationConfig& config) -> Made { return std::make_unique<Krum>(config.faulty, 1); },
    [](const AggregationConfig& config) -> Made {
      return std::make_unique<Krum>(config.faulty, config.chosen);
    },
    [](const AggregationConfig& config) -> Made { return std::make_unique<Bulyan>(config.faulty); },
    [](const AggregationConfig& config) -> Made {
      return std::make_unique<GeometricMedian>(GeometricMedian::Options{.passes_max = config.passes});
    },
    [](const AggregationConfig& config) -> Made { return std::make_unique<NormBound>(config.norm); },
    [](const AggregationConfig& config) -> Made {
      return std::make_unique<CentredClipping>(config.norm, config.passes);
    },
};
static_assert(std::size(makers) + 1 == aggregation_names.size());

}  // namespace

std::unique_ptr<RobustRule> make_robust_rule(const AggregationConfig& config) {
  const auto found = std::ranges::find(aggregation_names, config.name);
  assert(found > aggregation_names.begin() &&
         found != aggregation_names.end());  // the settings allow no other
  return makers[found - aggregation_names.begin() - 1](config);
}

}  // namespace hansa::server
