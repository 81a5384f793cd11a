// Which values of a model are variances, which a mean of rounded updates can make slightly negative.
#pragma once
#include "common/parameter_layout.h"

namespace hansa::learning {

// Negative values of the entry must become zero before a model computes with them.
[[nodiscard]] inline bool is_variance(const ParameterEntry& entry) {
  return entry.kind == ParameterKind::buffer && entry.name.ends_with("running_var");
}

}  // namespace hansa::learning
