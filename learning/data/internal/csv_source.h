// Kind "csv": every row is an example. Inputs have the shape {columns}.
#pragma once
#include <memory>

#include "learning/data/data_source.h"

namespace hansa::learning::internal {

[[nodiscard]] Result<std::unique_ptr<DataSource>> open_csv_source(const DataConfig& config);

}  // namespace hansa::learning::internal
