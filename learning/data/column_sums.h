// The sums of a source's columns: a client's part of the federation's statistics.
#pragma once
#include <stop_token>

#include "common/column_statistics.h"
#include "common/error.h"
#include "learning/data/data_source.h"

namespace hansa::learning {

// Reads all examples once. Fails (data) if the source has no float32 input or a value is not finite, (resource) if it has
// more than statistics_columns_max columns, or if a stop is requested, and as DataSource::read() does.
[[nodiscard]] Result<ColumnSums> sum_columns(const DataSource& source, const std::stop_token& stop = {});

}  // namespace hansa::learning
