// Collects the objects of a file as tensors.
//
// The columns whose value is a number form the input "x", float32 [columns]. Each column whose value is an array of
// numbers is an input of its own, those of data.sequences of variable length (array_column.h).
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "learning/data/internal/array_column.h"
#include "learning/data/internal/column_ranges.h"
#include "learning/data/kinds/jsonl/object_reader.h"
#include "learning/data/kinds/records/labels.h"

namespace hansa::learning::kinds {

class JsonlTable {
 public:
  // inputs: the names of the columns in the order in which the model takes them. config outlives it.
  JsonlTable(const DataConfig& config, std::vector<std::string> inputs);

  // values: one for each input, then the label. Fails (data) at the line if one is missing, is not a number, or has
  // another shape than in the first line.
  [[nodiscard]] Result<void> add(std::span<const JsonValue> values, std::uint64_t line);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  // At least one object was added. Leaves the table empty.
  [[nodiscard]] std::unique_ptr<DataSource> take();
  // An error at a column of a line.
  [[nodiscard]] tl::unexpected<Error> refuse(std::uint64_t line, std::size_t column,
                                             const internal::InvalidValue& problem) const;

 private:
  struct Array {
    std::size_t column = 0;
    internal::ArrayColumn values;
  };
  using Problem = std::optional<internal::InvalidValue>;
  [[nodiscard]] Result<void> start(std::span<const JsonValue> values, std::uint64_t line);
  [[nodiscard]] Problem add_scalar(const JsonValue& value);
  [[nodiscard]] static Problem add_array(const JsonValue& value, internal::ArrayColumn& array);
  [[nodiscard]] Result<void> check_names(std::uint64_t line) const;
  [[nodiscard]] Problem add_label(const JsonValue& value);
  [[nodiscard]] Result<void> check_size(std::uint64_t line) const;
  [[nodiscard]] DataDescription describe(const ExampleShape& shape) const;

  const DataConfig& config_;
  std::string location_;
  std::vector<std::string> inputs_;
  std::vector<std::size_t> scalars_;  // columns
  std::vector<Array> arrays_;
  std::vector<float> x_;
  std::vector<double> row_;  // the scalars of the current line
  internal::ColumnRanges ranges_;
  Labels labels_;
  std::uint64_t count_ = 0;
};

}  // namespace hansa::learning::kinds
