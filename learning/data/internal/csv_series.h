// Kind "csv" in long format: rows with the same value in the column `group` are one example, a series of up to `length`
// rows. The input "x" has the shape [length, columns], and x_length and x_mask say which rows are there.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "learning/data/dense_source.h"
#include "learning/data/internal/csv_rows.h"
#include "learning/data/internal/csv_table.h"

namespace hansa::learning::internal {

// Whether the rows of this data are series.
[[nodiscard]] bool has_series(const DataConfig& config);

// What the rows of a series must have in common. config outlives it.
class SeriesRules {
 public:
  explicit SeriesRules(const DataConfig& config) : config_(config) {}

  struct InvalidCell {
    InvalidValue problem;
    std::string column;  // empty: the whole row
  };
  // The next row, from line `line`. Returns false if it belongs to a series after the first examples_max. Fails if its series
  // has no name, has another label in an earlier row, or has `length` rows already.
  [[nodiscard]] tl::expected<bool, InvalidCell> take(const CsvRow& row, std::uint64_t line);
  [[nodiscard]] std::uint64_t count() const { return series_.size(); }

 private:
  struct Series {
    std::uint64_t rows = 0;
    std::uint64_t first_line = 0;
    std::int64_t class_index = 0;
    float real = 0;
  };
  const DataConfig& config_;
  std::map<std::string, Series, std::less<>> series_;
};

// The examples of a table of which every segment is a series. Leaves the table without rows.
[[nodiscard]] Examples take_series(CsvTable& table, const DataConfig& config);

}  // namespace hansa::learning::internal
