// Kind "sqlite": the rows of a query. The input x is float32 [columns].
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/text.h"
#include "learning/data/internal/column_ranges.h"
#include "learning/data/internal/csv_values.h"
#include "learning/data/kinds/openers.h"
#include "learning/data/kinds/records/column_choice.h"
#include "learning/data/kinds/records/labels.h"
#include "learning/data/kinds/sqlite/select_query.h"

namespace hansa::learning::kinds {
namespace {

using Form = SqlValue::Form;
using internal::InvalidValue;

constexpr std::size_t values_max = std::size_t{1} << 30;  // 4 GiB of floats
constexpr std::uint64_t rows_max = std::uint64_t{1} << 31;

// Collects the rows.
class RowTable {
 public:
  RowTable(const DataConfig& config, const SelectQuery& query, ColumnChoice choice)
      : config_(config), query_(query), choice_(std::move(choice)), labels_(config) {}

  // The current row of the query. Fails (data) at the row if a value is missing or cannot be used.
  Result<void> add() {
    row_.clear();
    for (std::size_t i = 0; i < choice_.inputs.size(); ++i)
      if (const auto problem =
              add_input(query_.value(choice_.inputs[i]), query_.columns()[choice_.inputs[i]]))
        return refuse(choice_.inputs[i], i, *problem);
    if (const auto problem = add_label()) return refuse(choice_.label, choice_.inputs.size(), *problem);
    if (x_.size() + row_.size() > values_max || ++count_ > rows_max)
      return fail(ErrorCode::resource, location(),
                  "the query gives more than 4 GiB of numbers, or than 2,147,483,648 rows",
                  "set data.examples_max, or a LIMIT in data.query", {ReasonCode::data_too_large, {}});
    for (const double value : row_) x_.push_back(static_cast<float>(value));
    ranges_.add(row_);
    return {};
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }

  [[nodiscard]] std::unique_ptr<DataSource> take() {
    Examples examples;
    examples.shape = one_input({static_cast<std::int64_t>(choice_.inputs.size())}, labels_.target());
    examples.tensors.emplace_back(std::move(x_));
    examples.tensors.push_back(labels_.take());
    DataDescription description = describe(examples.shape);
    for (const std::size_t column : choice_.inputs) description.columns.push_back(query_.columns()[column]);
    description.label = config_.label;
    description.classes = config_.classes;
    description.ranges = ranges_.ranges();
    return std::make_unique<DenseSource>(config_.file.string(), std::move(examples), std::move(description));
  }

 private:
  // Why the value is refused, if it is.
  using Problem = std::optional<InvalidValue>;

  Problem add_input(const SqlValue& value, const std::string& column) {
    if (value.form == Form::null)
      return InvalidValue{
          "is NULL", "fill it in, or select only other rows: WHERE \"" + printable(column) + "\" IS NOT NULL",
          ReasonCode::value_missing};
    if (value.form == Form::blob)
      return InvalidValue{"is a BLOB, which no input takes",
                          "select other columns, or list the inputs in data.columns"};
    const std::optional<double> number =
        value.form == Form::number ? value.number : internal::number_of(trimmed(value.text));
    if (!number)
      return InvalidValue{"is " + internal::in_quotes(printable(value.text)) + ", which is not a number",
                          "correct the row, or list the inputs in data.columns"};
    if (!internal::fits_float(*number))
      return InvalidValue{"is " + std::string(value.text) + ", which is not a finite float32",
                          "correct the row"};
    row_.push_back(*number);
    return std::nullopt;
  }

  Problem add_label() {
    const SqlValue value = query_.value(choice_.label);
    if (value.form == Form::null)
      return InvalidValue{"is NULL", "fill it in, or select only rows that have a label",
                          ReasonCode::value_missing};
    if (value.form == Form::blob)
      return InvalidValue{"is a BLOB, but a label is a number or a text", "select another column"};
    const auto added = labels_.add(trimmed(value.text));
    if (!added) return added.error();
    return std::nullopt;
  }

  [[nodiscard]] std::string location() const {
    return config_.file.string() + ": row " + std::to_string(query_.row());
  }
  // position: of the column among the inputs, the label last.
  [[nodiscard]] tl::unexpected<Error> refuse(std::size_t column, std::size_t position,
                                             const InvalidValue& problem) const {
    return fail(ErrorCode::data, location() + ": column \"" + printable(query_.columns()[column]) + "\"",
                problem.what, problem.hint,
                {problem.reason, {{Quantity::line, query_.row()}, {Quantity::column, position + 1}}});
  }

  const DataConfig& config_;
  const SelectQuery& query_;
  ColumnChoice choice_;
  std::vector<float> x_;
  std::vector<double> row_;  // the inputs of the current row
  internal::ColumnRanges ranges_;
  Labels labels_;
  std::uint64_t count_ = 0;
};

}  // namespace

Result<std::unique_ptr<DataSource>> open_sqlite(const DataConfig& config) {
  HANSA_TRY(SelectQuery query, SelectQuery::open(config.file, config.query));
  HANSA_TRY(ColumnChoice choice,
            choose_columns(config, query.columns(), config.file.string() + ": data.query"));
  RowTable table(config, query, std::move(choice));
  while (config.examples_max == 0 || table.count() < config.examples_max) {
    HANSA_TRY(const bool more, query.next());
    if (!more) break;
    HANSA_TRY_VOID(table.add());
  }
  if (table.count() == 0)
    return fail(ErrorCode::data, config.file.string(), "has no row for data.query",
                "give this client a table with rows, or correct the query",
                {ReasonCode::too_few_examples, {}});
  return table.take();
}

}  // namespace hansa::learning::kinds
