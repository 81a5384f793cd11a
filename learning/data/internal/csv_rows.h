// Converts records of a CSV file to rows of numbers, as a DataConfig says (kinds csv and windows).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "learning/data/data_source.h"
#include "learning/data/internal/column_ranges.h"
#include "learning/data/internal/csv_lists.h"
#include "learning/data/internal/csv_reader.h"
#include "learning/data/internal/label_values.h"

namespace hansa::learning::internal {

struct CsvRow {
  std::vector<double> inputs;  // within float32; NaN: the value is missing and will be replaced
  std::int64_t class_index = 0;
  float real = 0;  // the label, if the target is real
  std::string group;
  std::vector<NumberList> lists = {};  // one for each sequence
};

// Reads the records after the header. Errors have code data and name file, line and column.
class CsvRowReader {
 public:
  // Fails if the header lacks a column, with the nearest name as the hint, or has it twice.
  [[nodiscard]] static Result<CsvRowReader> create(const DataConfig& config, const CsvRecord& header,
                                                   std::string location);
  // Returns false if missing = "skip" skips the row.
  [[nodiscard]] Result<bool> read(const CsvRecord& record, CsvRow& row) const;
  [[nodiscard]] std::size_t input_count() const { return inputs_.size(); }
  [[nodiscard]] std::vector<std::string> input_names() const;
  // The columns of data.sequences, whose cells are lists, in the order in which the model takes them.
  [[nodiscard]] std::vector<std::string> sequence_names() const;
  [[nodiscard]] std::size_t field_count() const { return names_.size(); }
  // Columns that are neither input nor sequence nor label nor group.
  [[nodiscard]] std::size_t further_columns() const;
  // An error at a column of the record, which the header has; without a name at the whole record.
  [[nodiscard]] tl::unexpected<Error> refuse(const CsvRecord& record, const std::string& column,
                                             const InvalidValue& problem) const;
  // Of examples with these rows. A name that is not UTF-8 is escaped.
  [[nodiscard]] DataDescription describe(const ExampleShape& shape, const ColumnRanges& ranges) const;

 private:
  CsvRowReader(const DataConfig& config, std::string location)
      : config_(config), location_(std::move(location)) {}
  [[nodiscard]] Result<std::size_t> find_column(const std::string& name, std::string_view key) const;
  [[nodiscard]] Result<void> choose_inputs();
  [[nodiscard]] Result<void> check_name(std::size_t column) const;
  // Moves the columns of data.sequences from the inputs to the sequences.
  [[nodiscard]] Result<void> choose_sequences();
  [[nodiscard]] std::string location_of(const CsvRecord& record, std::size_t column) const;
  [[nodiscard]] static Reason reason_of(ReasonCode code, const CsvRecord& record, std::size_t column);
  [[nodiscard]] Reason missing_column(const std::string& name, std::string_view key) const;
  [[nodiscard]] Result<bool> read_label(const CsvRecord& record, CsvRow& row) const;
  [[nodiscard]] Result<bool> read_inputs(const CsvRecord& record, CsvRow& row) const;
  [[nodiscard]] Result<bool> read_lists(const CsvRecord& record, CsvRow& row) const;

  DataConfig config_;
  std::string location_;
  std::uint64_t header_line_ = 1;
  std::vector<std::string> names_;
  std::vector<std::size_t> inputs_;
  std::vector<std::size_t> sequences_;
  std::size_t label_ = 0;
  std::optional<std::size_t> group_;
};

}  // namespace hansa::learning::internal
