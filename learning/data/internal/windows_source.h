// Kind "windows": sliding windows over the rows of a CSV file. Inputs have the shape {columns, window}, the order of
// dimensions that one-dimensional convolutions take.
#pragma once
#include <memory>

#include "learning/data/data_source.h"

namespace hansa::learning::internal {

[[nodiscard]] Result<std::unique_ptr<DataSource>> open_windows_source(const DataConfig& config);

}  // namespace hansa::learning::internal
