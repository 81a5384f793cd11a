#include "learning/data/kinds/jsonl/jsonl_table.h"

#include <algorithm>
#include <utility>

#include "common/text.h"

namespace hansa::learning::kinds {
namespace {

using Form = JsonValue::Form;
using internal::ArrayColumn;
using internal::InvalidValue;

constexpr std::uint64_t bytes_max = std::uint64_t{4} << 30;

// Why a value can be no number, if it cannot.
std::optional<InvalidValue> without_value(const JsonValue& value) {
  constexpr const char* hint = "fill it in, or leave the line out";
  if (value.form == Form::absent) return InvalidValue{"is not there", hint, ReasonCode::value_missing};
  if (value.form == Form::null) return InvalidValue{"is null", hint, ReasonCode::value_missing};
  return std::nullopt;
}

}  // namespace

JsonlTable::JsonlTable(const DataConfig& config, std::vector<std::string> inputs)
    : config_(config), location_(config.file.string()), inputs_(std::move(inputs)), labels_(config) {}

tl::unexpected<Error> JsonlTable::refuse(std::uint64_t line, std::size_t column,
                                         const InvalidValue& problem) const {
  const std::string& name = column < inputs_.size() ? inputs_[column] : config_.label;
  return fail(ErrorCode::data,
              location_ + ":" + std::to_string(line) + ": column \"" + printable(name) + "\"", problem.what,
              problem.hint, {problem.reason, {{Quantity::line, line}, {Quantity::column, column + 1}}});
}

// The first line decides which columns are arrays, and their shapes.
Result<void> JsonlTable::start(std::span<const JsonValue> values, std::uint64_t line) {
  for (std::size_t column = 0; column < inputs_.size(); ++column) {
    if (const auto problem = without_value(values[column])) return refuse(line, column, *problem);
    if (values[column].form != Form::array) {
      scalars_.push_back(column);
      continue;
    }
    const bool is_sequence = std::ranges::find(config_.sequences, inputs_[column]) != config_.sequences.end();
    const std::vector<std::int64_t>& shape = values[column].shape;
    arrays_.push_back({column, is_sequence ? ArrayColumn::sequence(inputs_[column], shape, config_.length)
                                           : ArrayColumn(inputs_[column], shape)});
  }
  HANSA_TRY_VOID(check_names(line));
  const auto takes_name = [&](const Array& array) {
    return array.values.name() == "y" || (array.values.name() == "x" && !scalars_.empty());
  };
  if (const auto found = std::ranges::find_if(arrays_, takes_name); found != arrays_.end())
    return refuse(
        line, found->column,
        {"is an array with the name of " +
             std::string(found->values.name() == "y" ? "the target" : "the input that the numbers form"),
         "rename the column"});
  return {};
}

// Of the columns that data.sequences names, and of the inputs that are added for them.
Result<void> JsonlTable::check_names(std::uint64_t line) const {
  for (const std::string& name : config_.sequences) {
    const auto found =
        std::ranges::find_if(arrays_, [&](const Array& array) { return array.values.name() == name; });
    if (found == arrays_.end())
      return fail(ErrorCode::data, location_ + ":" + std::to_string(line),
                  "has no array \"" + printable(name) + "\", which data.sequences names",
                  "name columns that are arrays of numbers", {ReasonCode::column_missing, {}});
    if (const auto problem = internal::check_sequence_name(name, inputs_))
      return refuse(line, found->column, *problem);
  }
  return {};
}

JsonlTable::Problem JsonlTable::add_scalar(const JsonValue& value) {
  if (auto problem = without_value(value)) return problem;
  if (value.form == Form::array)
    return InvalidValue{"is an array, but a number in the first line", "correct the line"};
  if (value.form == Form::text)
    return InvalidValue{
        "is the text " + internal::in_quotes(printable(value.text)) + ", which no input takes",
        "choose other data.columns, or write a number"};
  if (!internal::fits_float(value.number)) return internal::beyond_float("is " + value.text);
  row_.push_back(value.number);
  return std::nullopt;
}

JsonlTable::Problem JsonlTable::add_array(const JsonValue& value, ArrayColumn& array) {
  if (auto problem = without_value(value)) return problem;
  if (value.form != Form::array)
    return InvalidValue{"is no array, but one in the first line", "correct the line"};
  return array.add({value.shape, value.reals, value.integers});
}

JsonlTable::Problem JsonlTable::add_label(const JsonValue& value) {
  if (auto problem = without_value(value)) return problem;
  if (value.form == Form::array)
    return InvalidValue{"is an array, but a label is one value", "correct the line"};
  if (value.form == Form::text && !labels_.are_classes())
    return InvalidValue{"is the text " + internal::in_quotes(printable(value.text)), "write a number"};
  // Among classes that are listed, a boolean is a word.
  const bool is_number = value.form == Form::boolean && config_.classes.empty();
  const auto added = labels_.add(is_number ? (value.number > 0 ? "1" : "0") : std::string_view(value.text));
  if (!added) return added.error();
  return std::nullopt;
}

Result<void> JsonlTable::check_size(std::uint64_t line) const {
  std::uint64_t bytes = x_.size() * sizeof(float);
  for (const Array& array : arrays_) bytes += array.values.bytes();
  if (bytes <= bytes_max) return {};
  return fail(ErrorCode::resource, location_ + ":" + std::to_string(line),
              "the file holds more than 4 GiB of numbers",
              "set data.examples_max, or use kind \"tensors\" or \"npy\", which stay on disk",
              {ReasonCode::data_too_large, {}});
}

Result<void> JsonlTable::add(std::span<const JsonValue> values, std::uint64_t line) {
  if (count_ == 0) HANSA_TRY_VOID(start(values, line));
  row_.clear();
  for (const std::size_t column : scalars_)
    if (const auto problem = add_scalar(values[column])) return refuse(line, column, *problem);
  for (Array& array : arrays_)
    if (const auto problem = add_array(values[array.column], array.values))
      return refuse(line, array.column, *problem);
  if (const auto problem = add_label(values[inputs_.size()])) return refuse(line, inputs_.size(), *problem);
  for (const double value : row_) x_.push_back(static_cast<float>(value));
  ranges_.add(row_);
  ++count_;
  return check_size(line);
}

// Columns have positions only if all of them are numbers.
DataDescription JsonlTable::describe(const ExampleShape& shape) const {
  DataDescription out = learning::describe(shape);
  out.label = config_.label;
  out.classes = config_.classes;
  if (!arrays_.empty()) return out;
  out.columns = inputs_;
  out.ranges = ranges_.ranges();
  return out;
}

std::unique_ptr<DataSource> JsonlTable::take() {
  Examples examples;
  if (!scalars_.empty()) {
    examples.shape.inputs.push_back(
        {"x", ElementType::float32, {static_cast<std::int64_t>(scalars_.size())}, 0});
    examples.tensors.emplace_back(std::move(x_));
  }
  for (Array& array : arrays_) array.values.move_to(examples);
  examples.shape.targets = {labels_.target()};
  examples.tensors.push_back(labels_.take());
  DataDescription description = describe(examples.shape);
  return std::make_unique<DenseSource>(location_, std::move(examples), std::move(description));
}

}  // namespace hansa::learning::kinds
