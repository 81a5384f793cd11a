// A whole CSV file as numbers, for the kinds csv and windows.
#pragma once
#include <cstdint>
#include <vector>

#include "common/error.h"
#include "learning/data/data_source.h"
#include "learning/data/internal/array_column.h"

namespace hansa::learning::internal {

struct CsvTable {
  std::size_t columns = 0;  // inputs in a row; 0 if all are sequences
  std::vector<float> inputs;  // row by row, with missing values replaced and columns scaled
  std::vector<ArrayColumn> sequences;  // of data.sequences: an array for each row
  std::vector<std::int64_t> class_indices;  // one for each row; empty if the target is real
  std::vector<float> reals;  // one for each row; empty if the target is a class
  // One for each row. The rows of a segment are consecutive rows of one group, or if the groups are series (csv_series.h) all
  // rows of one. The rows of a group are adjacent, in the file's order.
  std::vector<std::uint32_t> segments;
  DataDescription names;  // of the columns, with their ranges; the shape is that of a row

  [[nodiscard]] std::size_t row_count() const { return segments.size(); }
  // Its class count is the number of configured classes, or else the largest label + 1.
  [[nodiscard]] TensorSpec target(const DataConfig& config) const;
  // Of examples of this shape.
  [[nodiscard]] DataDescription describe(const ExampleShape& shape) const;
};

// Reads at most rows_max rows of config.file (0: all), or of series the rows of the first examples_max. Fails (data) if the file has no row.
[[nodiscard]] Result<CsvTable> read_csv_table(const DataConfig& config, std::uint64_t rows_max);

}  // namespace hansa::learning::internal
