// A whole CSV file as numbers: kinds csv and windows.
#pragma once
#include <cstdint>
#include <vector>

#include "common/error.h"
#include "learning/data/data_config.h"

namespace hansa::learning::internal {

struct CsvTable {
  std::size_t columns = 0;  // inputs of a row
  std::vector<float> inputs;  // row after row; replaced and scaled
  std::vector<std::int64_t> class_indices;  // by row; empty if the target is real
  std::vector<float> reals;  // by row; empty if the target is a class
  // By row; rows of a segment follow each other with none left out, and have one group. Rows of a group
  // stand together, in the file's order.
  std::vector<std::uint32_t> segments;

  [[nodiscard]] std::size_t row_count() const { return segments.size(); }
  // classes if they are named, else the largest label + 1.
  [[nodiscard]] std::int64_t class_count(const DataConfig& config) const;
};

// Reads config.file, rows_max rows at most (0: all). Fails (data) if it holds no row.
[[nodiscard]] Result<CsvTable> read_csv_table(const DataConfig& config, std::uint64_t rows_max);

}  // namespace hansa::learning::internal
