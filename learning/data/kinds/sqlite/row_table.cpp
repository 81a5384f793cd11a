#include "learning/data/kinds/sqlite/row_table.h"

#include <utility>

#include "common/text.h"
#include "learning/data/internal/csv_values.h"

namespace hansa::learning::kinds {
namespace {

using Form = SqlValue::Form;
using internal::InvalidValue;

constexpr std::size_t values_max = std::size_t{1} << 30;  // 4 GiB of floats
constexpr std::uint64_t rows_max = std::uint64_t{1} << 31;

}  // namespace

RowTable::RowTable(const DataConfig& config, std::vector<std::string> columns, ColumnChoice choice)
    : config_(config), columns_(std::move(columns)), choice_(std::move(choice)), labels_(config) {}

Result<void> RowTable::add(const SelectQuery& query, const Place& place) {
  row_.clear();
  for (std::size_t i = 0; i < choice_.inputs.size(); ++i)
    if (const auto problem = add_input(query.value(choice_.inputs[i]), columns_[choice_.inputs[i]]))
      return refuse(place, choice_.inputs[i], i, *problem);
  if (x_.size() + row_.size() > values_max || count_ == rows_max)
    return fail(ErrorCode::resource, config_.file.string() + ": " + place.text,
                "the query gives more than 4 GiB of numbers, or than 2,147,483,648 rows",
                "set data.examples_max, or a LIMIT in data.query", {ReasonCode::data_too_large, {}});
  if (const auto problem = add_label(query.value(choice_.label)))
    return refuse(place, choice_.label, choice_.inputs.size(), *problem);
  ++count_;
  for (const double value : row_) x_.push_back(static_cast<float>(value));
  ranges_.add(row_);
  return {};
}

RowTable::Rows RowTable::take() {
  Rows out;
  out.examples.shape = one_input({static_cast<std::int64_t>(choice_.inputs.size())}, labels_.target());
  out.examples.tensors.emplace_back(std::move(x_));
  out.examples.tensors.push_back(labels_.take());
  out.description = describe(out.examples.shape);
  for (const std::size_t column : choice_.inputs) out.description.columns.push_back(columns_[column]);
  out.description.label = config_.label;
  out.description.classes = config_.classes;
  out.description.ranges = ranges_.ranges();
  return out;
}

RowTable::Problem RowTable::add_input(const SqlValue& value, const std::string& column) {
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

RowTable::Problem RowTable::add_label(const SqlValue& value) {
  if (value.form == Form::null)
    return InvalidValue{"is NULL", "fill it in, or select only rows that have a label",
                        ReasonCode::value_missing};
  if (value.form == Form::blob)
    return InvalidValue{"is a BLOB, but a label is a number or a text", "select another column"};
  const auto added = labels_.add(trimmed(value.text));
  if (!added) return added.error();
  return std::nullopt;
}

tl::unexpected<Error> RowTable::refuse(const Place& place, std::size_t column, std::size_t position,
                                       const InvalidValue& problem) const {
  Reason reason{problem.reason, {}};
  if (place.line) reason.numbers.push_back({Quantity::line, *place.line});
  reason.numbers.push_back({Quantity::column, position + 1});
  return fail(ErrorCode::data,
              config_.file.string() + ": " + place.text + ": column \"" + printable(columns_[column]) + "\"",
              problem.what, problem.hint, std::move(reason));
}

}  // namespace hansa::learning::kinds
