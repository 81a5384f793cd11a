// A data source for images and labels of the MNIST family (learning/data/idx_file.h).
#pragma once
#include <memory>

#include "learning/data/data_source.h"

namespace hansa::learning::internal {

// Pixels are bytes in memory and are converted to floats in [0, 1] when they are read.
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_idx_source(const DataConfig& config);

}  // namespace hansa::learning::internal
