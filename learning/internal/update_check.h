// Whether the values that a training changed may be sent. If not, the error names the parameter and the range of the data,
// for the device's own log. Torch-free header.
#pragma once
#include <span>

#include "common/error.h"
#include "common/parameter_layout.h"
#include "learning/data/data_source.h"

namespace hansa::learning {

// update: the changes of the layout's values. Fails (data) with the first value that is not finite, or else with the one
// of the largest magnitude, if that is above magnitude_max.
[[nodiscard]] Result<void> check_update(const ParameterLayout& layout, std::span<const float> update,
                                        double magnitude_max, const DataSource& source);

}  // namespace hansa::learning
