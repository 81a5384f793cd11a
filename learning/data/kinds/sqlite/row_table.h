// The rows of a query as examples: the input "x" is float32 [columns], the target "y" is the label.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/data_description.h"
#include "common/error.h"
#include "learning/data/dense_source.h"
#include "learning/data/internal/column_ranges.h"
#include "learning/data/internal/label_values.h"
#include "learning/data/kinds/records/column_choice.h"
#include "learning/data/kinds/records/labels.h"
#include "learning/data/kinds/sqlite/select_query.h"

namespace hansa::learning::kinds {

class RowTable {
 public:
  struct Rows {
    Examples examples;
    DataDescription description;
  };
  // Names a row in errors.
  struct Place {
    std::string text;  // "row 3"
    std::optional<std::uint64_t> line = {};  // for the reason, which may leave the device
  };

  // config outlives the table. columns: of the query.
  RowTable(const DataConfig& config, std::vector<std::string> columns, ColumnChoice choice);

  // The current row of the query. Fails (data), and adds nothing, if a value is missing or cannot be used.
  [[nodiscard]] Result<void> add(const SelectQuery& query, const Place& place);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::size_t input_count() const { return choice_.inputs.size(); }
  // The rows that were added, once.
  [[nodiscard]] Rows take();

 private:
  using Problem = std::optional<internal::InvalidValue>;  // why a value is refused, if it is
  [[nodiscard]] Problem add_input(const SqlValue& value, const std::string& column);
  [[nodiscard]] Problem add_label(const SqlValue& value);
  // position: of the column among the inputs, the label last.
  [[nodiscard]] tl::unexpected<Error> refuse(const Place& place, std::size_t column, std::size_t position,
                                             const internal::InvalidValue& problem) const;

  const DataConfig& config_;
  std::vector<std::string> columns_;
  ColumnChoice choice_;
  std::vector<float> x_;
  std::vector<double> row_;  // the inputs of the current row
  internal::ColumnRanges ranges_;
  Labels labels_;
  std::uint64_t count_ = 0;
};

}  // namespace hansa::learning::kinds
