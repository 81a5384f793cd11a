// Kind "csv". Every row is an example: the numbers are the input "x", float32 [columns], and each column of data.sequences is
// an input of its own (array_column.h). With data.group the rows of a group are an example (csv_series.h).
#pragma once
#include <memory>

#include "learning/data/data_source.h"

namespace hansa::learning::internal {

[[nodiscard]] Result<std::unique_ptr<DataSource>> open_csv_source(const DataConfig& config);

}  // namespace hansa::learning::internal
