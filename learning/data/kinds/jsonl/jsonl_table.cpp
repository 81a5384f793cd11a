#include "learning/data/kinds/jsonl/jsonl_table.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "common/text.h"

namespace hansa::learning::kinds {
namespace {

using Form = JsonValue::Form;
using internal::InvalidValue;

constexpr std::uint64_t bytes_max = std::uint64_t{4} << 30;

// Why a value can be no number, if it cannot.
std::optional<InvalidValue> without_value(const JsonValue& value) {
  constexpr const char* hint = "fill it in, or leave the line out";
  if (value.form == Form::absent) return InvalidValue{"is not there", hint, ReasonCode::value_missing};
  if (value.form == Form::null) return InvalidValue{"is null", hint, ReasonCode::value_missing};
  return std::nullopt;
}

std::string text_of_shape(std::span<const std::int64_t> shape) {
  std::string out = "[";
  for (const std::int64_t size : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(size);
  return out + "]";
}

// An integer that float32 cannot hold. Integers beyond 2^24 usually name something, so that the nearest one is wrong.
std::optional<InvalidValue> inexact(std::span<const std::int64_t> integers, const std::string& where) {
  constexpr std::uint64_t significand_max = std::uint64_t{1} << 24U;
  const auto found = std::ranges::find_if(integers, [](std::int64_t value) {
    const std::uint64_t magnitude =
        value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    return magnitude > significand_max && magnitude >> std::countr_zero(magnitude) > significand_max;
  });
  if (found == integers.end()) return std::nullopt;
  return InvalidValue{
      where + " the integer " + std::to_string(*found) + ", which float32 cannot hold exactly",
      "write all values of the column as integers, or this one with a fraction (" + std::to_string(*found) +
          ".0) if it may be rounded"};
}

InvalidValue beyond_float(const std::string& text) {
  return {text + ", which is not a finite float32", "correct the line"};
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
    Array array{column,
                {inputs_[column], ElementType::int64, values[column].shape, 0},
                no_values(ElementType::int64)};
    array.is_sequence = std::ranges::find(config_.sequences, inputs_[column]) != config_.sequences.end();
    if (array.is_sequence) array.spec.shape[0] = config_.length;
    arrays_.push_back(std::move(array));
  }
  HANSA_TRY_VOID(check_names(line));
  const auto takes_name = [&](const Array& array) {
    return array.spec.name == "y" || (array.spec.name == "x" && !scalars_.empty());
  };
  if (const auto found = std::ranges::find_if(arrays_, takes_name); found != arrays_.end())
    return refuse(
        line, found->column,
        {"is an array with the name of " +
             std::string(found->spec.name == "y" ? "the target" : "the input that the numbers form"),
         "rename the column"});
  return {};
}

// Of the columns that data.sequences names, and of the inputs that are added for them.
Result<void> JsonlTable::check_names(std::uint64_t line) const {
  for (const std::string& name : config_.sequences) {
    const auto found =
        std::ranges::find_if(arrays_, [&](const Array& array) { return array.spec.name == name; });
    if (found == arrays_.end())
      return fail(ErrorCode::data, location_ + ":" + std::to_string(line),
                  "has no array \"" + printable(name) + "\", which data.sequences names",
                  "name columns that are arrays of numbers", {ReasonCode::column_missing, {}});
    for (const std::string end : {"_length", "_mask"})
      if (std::ranges::find(inputs_, name + end) != inputs_.end())
        return refuse(line, found->column,
                      {"is a sequence, and there is a column \"" + printable(name) + end +
                           "\", which is the name of an input that says what is there",
                       "rename one of the two"});
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
  if (!internal::fits_float(value.number)) return beyond_float("is " + value.text);
  row_.push_back(value.number);
  return std::nullopt;
}

JsonlTable::Problem JsonlTable::check_shape(const JsonValue& value, const Array& array) const {
  const std::vector<std::int64_t>& shape = array.spec.shape;
  if (!array.is_sequence) {
    if (value.shape == shape) return std::nullopt;
    return InvalidValue{"has the shape " + text_of_shape(value.shape) + ", but " + text_of_shape(shape) +
                            " in the first line",
                        "correct the line; if lengths differ, name the column in data.sequences"};
  }
  if (value.shape.size() != shape.size() ||
      !std::equal(value.shape.begin() + 1, value.shape.end(), shape.begin() + 1))
    return InvalidValue{
        "has the shape " + text_of_shape(value.shape) + ", but only the first size may differ",
        "correct the line"};
  if (value.shape[0] > shape[0])
    return InvalidValue{
        "has " + std::to_string(value.shape[0]) + " values, and data.length is " + std::to_string(shape[0]),
        "raise data.length on all clients, or cut the sequence"};
  return std::nullopt;
}

JsonlTable::Problem JsonlTable::add_array(const JsonValue& value, Array& array) const {
  if (auto problem = without_value(value)) return problem;
  if (value.form != Form::array)
    return InvalidValue{"is no array, but one in the first line", "correct the line"};
  if (auto problem = check_shape(value, array)) return problem;
  if (auto problem = add_values(value, array)) return problem;
  if (!array.is_sequence) return std::nullopt;
  array.lengths.push_back(value.shape[0]);
  std::visit([&](auto& values) { values.resize(array.lengths.size() * array.spec.elements()); },
             array.values);
  return std::nullopt;
}

JsonlTable::Problem JsonlTable::add_values(const JsonValue& value, Array& array) {
  if (array.spec.type == ElementType::int64 && value.integers.size() == value.reals.size()) {
    auto& to = std::get<std::vector<std::int64_t>>(array.values);
    to.insert(to.end(), value.integers.begin(), value.integers.end());
    return std::nullopt;
  }
  if (!std::ranges::all_of(value.reals, internal::fits_float)) return beyond_float("has a number");
  if (auto problem = inexact(value.integers, "has")) return problem;
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&array.values)) {
    if (auto problem = inexact(*integers, "has a fraction, and an earlier line")) return problem;
    std::vector<float> reals(integers->begin(), integers->end());
    array.spec.type = ElementType::float32;
    array.values = std::move(reals);
  }
  auto& to = std::get<std::vector<float>>(array.values);
  for (const double real : value.reals) to.push_back(static_cast<float>(real));
  return std::nullopt;
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
  for (const Array& array : arrays_) bytes += bytes_of(array.values).size();
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
    if (const auto problem = add_array(values[array.column], array))
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
  for (Array& array : arrays_) {
    const std::string name = array.spec.name;
    examples.shape.inputs.push_back(std::move(array.spec));
    examples.tensors.push_back(std::move(array.values));
    if (!array.is_sequence) continue;
    std::vector<std::uint8_t> mask(array.lengths.size() * config_.length);
    for (std::size_t i = 0; i < array.lengths.size(); ++i)
      std::fill_n(mask.begin() + static_cast<std::ptrdiff_t>(i * config_.length), array.lengths[i],
                  std::uint8_t{1});
    examples.shape.inputs.push_back({name + "_length", ElementType::int64, {}, 0});
    examples.tensors.emplace_back(std::move(array.lengths));
    examples.shape.inputs.push_back(
        {name + "_mask", ElementType::boolean, {static_cast<std::int64_t>(config_.length)}, 0});
    examples.tensors.emplace_back(std::move(mask));
  }
  examples.shape.targets = {labels_.target()};
  examples.tensors.push_back(labels_.take());
  DataDescription description = describe(examples.shape);
  return std::make_unique<DenseSource>(location_, std::move(examples), std::move(description));
}

}  // namespace hansa::learning::kinds
