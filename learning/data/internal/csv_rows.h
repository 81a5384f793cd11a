// Rows of numbers from the records of a CSV file, by the rules of a DataConfig (kinds csv and windows).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "learning/data/data_config.h"
#include "learning/data/internal/csv_reader.h"

namespace hansa::learning::internal {

struct CsvRow {
  std::vector<float> inputs;  // NaN where the value is missing and is to be replaced
  std::int64_t class_index = 0;
  float real = 0;  // the label, if the target is real
  std::string group;
};

// Reads records after the header. Errors have code data and name file, line and column.
class CsvRowReader {
 public:
  // Fails on a column that header does not have, naming the nearest, or has twice.
  [[nodiscard]] static Result<CsvRowReader> create(const DataConfig& config, const CsvRecord& header,
                                                   std::string place);
  // False: the row is left out by missing = "skip".
  [[nodiscard]] Result<bool> read(const CsvRecord& record, CsvRow& row) const;
  [[nodiscard]] std::size_t input_count() const { return inputs_.size(); }

 private:
  CsvRowReader(const DataConfig& config, std::string place) : config_(config), place_(std::move(place)) {}
  [[nodiscard]] Result<std::size_t> find_column(const std::string& name, std::string_view key) const;
  [[nodiscard]] Result<void> choose_inputs();
  [[nodiscard]] std::string place_of(const CsvRecord& record, std::size_t column) const;
  [[nodiscard]] Result<bool> read_label(const CsvRecord& record, CsvRow& row) const;
  [[nodiscard]] Result<std::int64_t> read_class(const CsvRecord& record, std::string_view text) const;

  DataConfig config_;
  std::string place_;
  std::uint64_t header_line_ = 1;
  std::vector<std::string> names_;
  std::vector<std::size_t> inputs_;
  std::size_t label_ = 0;
  std::optional<std::size_t> group_;
};

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
