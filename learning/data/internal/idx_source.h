// Images and labels of the MNIST family (learning/data/idx_file.h) as a data source.
#pragma once
#include <memory>

#include "learning/data/data_source.h"

namespace hansa::learning::internal {

// Pixels stay bytes in memory and become floats in [0, 1] as they are read.
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_idx_source(const DataConfig& config);

}  // namespace hansa::learning::internal
