// Kind "windows": sliding windows over the rows of a CSV file; inputs have the shape {columns, window}, as
// convolutions over time take them.
#pragma once
#include <memory>

#include "learning/data/data_source.h"

namespace hansa::learning::internal {

[[nodiscard]] Result<std::unique_ptr<DataSource>> open_windows_source(const DataConfig& config);

}  // namespace hansa::learning::internal
