#include "learning/data/internal/csv_rows.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "common/spelling.h"
#include "common/text.h"
#include "learning/data/internal/array_column.h"
#include "learning/data/internal/csv_values.h"

namespace hansa::learning::internal {
namespace {

// A missing label or list may be skipped, but not replaced by zero or the mean.
constexpr const char* missing_input_hint =
    "fill it in, or set data.missing to \"skip\", \"zero\" or \"mean\"";
constexpr const char* missing_label_hint = "fill it in, or set data.missing = \"skip\"";

}  // namespace

Result<CsvRowReader> CsvRowReader::create(const DataConfig& config, const CsvRecord& header,
                                          std::string location) {
  CsvRowReader out(config, std::move(location));
  out.header_line_ = header.line;
  for (const std::string_view name : header.fields) {
    if (name.find('\r') != std::string_view::npos)
      return fail(ErrorCode::data, out.location_ + ":" + std::to_string(header.line),
                  "ends its lines with CR alone, so that the file is one line",
                  "convert it: tr '\\r' '\\n' < FILE > NEW",
                  {ReasonCode::data_damaged, {{Quantity::line, header.line}}});
    out.names_.emplace_back(trimmed(name));
  }
  HANSA_TRY(out.label_, out.find_column(config.label, "label"));
  if (!config.group.empty()) {
    HANSA_TRY(out.group_, out.find_column(config.group, "group"));
  }
  HANSA_TRY_VOID(out.choose_inputs());
  HANSA_TRY_VOID(out.choose_sequences());
  return out;
}

Result<std::size_t> CsvRowReader::find_column(const std::string& name, std::string_view key) const {
  const std::string location = location_ + ":" + std::to_string(header_line_);
  const auto count = std::ranges::count(names_, name);
  if (count == 1) return static_cast<std::size_t>(std::ranges::find(names_, name) - names_.begin());
  if (count > 1)
    return fail(ErrorCode::data, location, "has " + std::to_string(count) + " columns \"" + name + "\"",
                "give each column a different name", missing_column(name, key));
  if (const auto near = nearest_word(name, names_); near && names_.size() > 1)
    return fail(ErrorCode::data, location,
                "has no column \"" + name + "\", which data." + std::string(key) + " names",
                "did you mean \"" + *near + "\"?", missing_column(name, key));
  std::string all;
  for (std::size_t i = 0; i < names_.size() && i < 12; ++i)
    all += (i == 0 ? "" : ", ") + in_quotes(names_[i]);
  return fail(ErrorCode::data, location,
              "has no column \"" + name + "\", which data." + std::string(key) + " names",
              names_.size() == 1 ? "its one column is " + all + ": is data.delimiter right?"
                                 : "its columns are " + all + (names_.size() > 12 ? ", ..." : ""),
              missing_column(name, key));
}

Reason CsvRowReader::missing_column(const std::string& name, std::string_view key) const {
  if (key == "sequences") return {ReasonCode::column_missing, {}};
  if (key != "columns") return {ReasonCode::label_missing, {}};
  const auto found = std::ranges::find(config_.columns, name);
  return {ReasonCode::column_missing,
          {{Quantity::column, static_cast<std::uint64_t>(found - config_.columns.begin()) + 1}}};
}

Result<void> CsvRowReader::choose_inputs() {
  if (config_.columns.empty()) {
    for (std::size_t i = 0; i < names_.size(); ++i)
      if (i != label_ && i != group_) inputs_.push_back(i);
    for (const std::size_t column : inputs_) HANSA_TRY_VOID(check_name(column));
    if (inputs_.empty())
      return fail(ErrorCode::data, location_ + ":" + std::to_string(header_line_),
                  "has no column other than the label", "check data.delimiter, or name another file",
                  {ReasonCode::label_missing, {}});
    return {};
  }
  for (const std::string& name : config_.columns) {
    HANSA_TRY(const std::size_t column, find_column(name, "columns"));
    inputs_.push_back(column);
  }
  return {};
}

Result<void> CsvRowReader::choose_sequences() {
  const std::string location = location_ + ":" + std::to_string(header_line_);
  const std::vector<std::string> inputs = input_names();
  for (const std::string& name : config_.sequences) {
    HANSA_TRY(const std::size_t column, find_column(name, "sequences"));
    const Reason reason{ReasonCode::column_missing, {{Quantity::column, column + 1}}};
    if (std::ranges::find(inputs_, column) == inputs_.end())
      return fail(ErrorCode::usage, "data.sequences",
                  "names " + in_quotes(printable(name)) + ", which is no input",
                  column == label_ ? "a label is one value: remove it there"
                                   : "add it to data.columns, or remove it there",
                  reason);
    if (const auto problem = check_sequence_name(name, inputs))
      return fail(ErrorCode::data, location + ": column \"" + name + "\"", problem->what, problem->hint,
                  reason);
    const bool numbers_form_input = inputs.size() > config_.sequences.size();
    if (name == "y" || (name == "x" && numbers_form_input))
      return fail(ErrorCode::data, location + ": column \"" + name + "\"",
                  "is a sequence with the name of " +
                      std::string(name == "y" ? "the target" : "the input that the numbers form"),
                  "rename the column", reason);
  }
  const auto is_sequence = [&](std::size_t column) {
    return std::ranges::find(config_.sequences, names_[column]) != config_.sequences.end();
  };
  std::ranges::copy_if(inputs_, std::back_inserter(sequences_), is_sequence);
  std::erase_if(inputs_, is_sequence);
  return {};
}

std::vector<std::string> CsvRowReader::sequence_names() const {
  std::vector<std::string> out;
  for (const std::size_t column : sequences_) out.push_back(names_[column]);
  return out;
}

std::vector<std::string> CsvRowReader::input_names() const {
  std::vector<std::string> out;
  for (const std::size_t column : inputs_) out.push_back(names_[column]);
  return out;
}

std::size_t CsvRowReader::further_columns() const {
  return names_.size() - inputs_.size() - sequences_.size() - 1 - (group_ ? 1 : 0);
}

// Without data.columns every column is an input, and a row number that a program wrote in front would be one.
Result<void> CsvRowReader::check_name(std::size_t column) const {
  const std::string location = location_ + ":" + std::to_string(header_line_);
  const Reason reason{ReasonCode::column_missing, {{Quantity::column, column + 1}}};
  if (names_[column].empty())
    return fail(ErrorCode::data, location,
                "has no name for column " + std::to_string(column + 1) + ", which would be an input",
                "give it a name if it is one, or list the inputs in data.columns", reason);
  if (std::ranges::count(names_, names_[column]) == 1) return {};
  return fail(ErrorCode::data, location,
              "has " + std::to_string(std::ranges::count(names_, names_[column])) + " columns \"" +
                  printable(names_[column]) + "\"",
              "give each column a different name", reason);
}

DataDescription CsvRowReader::describe(const ExampleShape& shape, const ColumnRanges& ranges) const {
  const auto text = [](const std::string& name) { return is_utf8(name) ? name : printable(name); };
  DataDescription out = learning::describe(shape);
  out.label = text(names_[label_]);
  out.classes = config_.classes;
  // Columns have positions only if all of them are numbers.
  if (!sequences_.empty()) {
    out.rows_skipped = ranges.rows_skipped();
    return out;
  }
  for (const std::size_t column : inputs_) out.columns.push_back(text(names_[column]));
  out.ranges = ranges.ranges();
  out.missing = ranges.missing();
  out.rows_skipped = ranges.rows_skipped();
  return out;
}

Reason CsvRowReader::reason_of(ReasonCode code, const CsvRecord& record, std::size_t column) {
  return {code, {{Quantity::line, record.line}, {Quantity::column, column + 1}}};
}

std::string CsvRowReader::location_of(const CsvRecord& record, std::size_t column) const {
  return location_ + ":" + std::to_string(record.line) + ": column \"" + names_[column] + "\"";
}

tl::unexpected<Error> CsvRowReader::refuse(const CsvRecord& record, const std::string& column,
                                           const InvalidValue& problem) const {
  if (column.empty())
    return fail(ErrorCode::data, location_ + ":" + std::to_string(record.line), problem.what, problem.hint,
                {problem.reason, {{Quantity::line, record.line}}});
  const auto at = static_cast<std::size_t>(std::ranges::find(names_, column) - names_.begin());
  return fail(ErrorCode::data, location_of(record, at), problem.what, problem.hint,
              reason_of(problem.reason, record, at));
}

Result<bool> CsvRowReader::read_label(const CsvRecord& record, CsvRow& row) const {
  const std::string_view text = trimmed(record.fields[label_]);
  // A word in data.classes is a class, even "NA".
  const bool named = std::ranges::find(config_.classes, text) != config_.classes.end();
  if (!named && is_missing(text, config_.missing_words)) {
    if (config_.missing == MissingValues::skip) return false;
    return fail(ErrorCode::data, location_of(record, label_), "is missing", missing_label_hint,
                reason_of(ReasonCode::value_missing, record, label_));
  }
  if (config_.target == TargetKind::class_index) {
    const auto value = class_of(text, config_.classes);
    if (!value) return refuse(record, config_.label, value.error());
    row.class_index = *value;
  } else {
    const auto value = real_of(text);
    if (!value) return refuse(record, config_.label, value.error());
    row.real = *value;
  }
  return true;
}

Result<bool> CsvRowReader::read(const CsvRecord& record, CsvRow& row) const {
  if (record.fields.size() != names_.size())
    return fail(ErrorCode::data, location_ + ":" + std::to_string(record.line),
                "has " + std::to_string(record.fields.size()) + " fields, but the header has " +
                    std::to_string(names_.size()),
                "correct the row; quote a field that holds the delimiter",
                {ReasonCode::row_length,
                 {{Quantity::line, record.line},
                  {Quantity::fields, record.fields.size()},
                  {Quantity::fields_expected, names_.size()}}});
  if (group_) row.group = trimmed(record.fields[*group_]);
  HANSA_TRY(const bool has_label, read_label(record, row));
  HANSA_TRY(const bool has_inputs, read_inputs(record, row));
  HANSA_TRY(const bool has_lists, read_lists(record, row));
  return has_label && has_inputs && has_lists;
}

// Returns false if missing = "skip" skips the row.
Result<bool> CsvRowReader::read_inputs(const CsvRecord& record, CsvRow& row) const {
  bool whole = true;
  row.inputs.resize(inputs_.size());
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const std::string_view text = trimmed(record.fields[inputs_[i]]);
    if (is_missing(text, config_.missing_words)) {
      if (config_.missing == MissingValues::refuse)
        return fail(ErrorCode::data, location_of(record, inputs_[i]),
                    text.empty() ? "is missing" : "is " + in_quotes(text) + ", which means missing",
                    missing_input_hint, reason_of(ReasonCode::value_missing, record, inputs_[i]));
      whole &= config_.missing != MissingValues::skip;
      row.inputs[i] = std::numeric_limits<double>::quiet_NaN();
      continue;
    }
    const auto value = number_of(text);
    if (!value)
      return fail(ErrorCode::data, location_of(record, inputs_[i]),
                  "is " + in_quotes(text) + ", which is not a number",
                  "correct the row, choose other data.columns, or name the word in data.missing_words if it "
                  "means that there is no value",
                  reason_of(ReasonCode::value_invalid, record, inputs_[i]));
    if (!fits_float(*value))
      return fail(ErrorCode::data, location_of(record, inputs_[i]),
                  "is " + in_quotes(text) + ", which is not a finite float32", "correct the row",
                  reason_of(ReasonCode::value_invalid, record, inputs_[i]));
    row.inputs[i] = *value;
  }
  return whole;
}

// Likewise. A list has no value that could replace it.
Result<bool> CsvRowReader::read_lists(const CsvRecord& record, CsvRow& row) const {
  bool whole = true;
  row.lists.resize(sequences_.size());
  for (std::size_t i = 0; i < sequences_.size(); ++i) {
    const std::string_view text = trimmed(record.fields[sequences_[i]]);
    if (is_missing(text, config_.missing_words)) {
      if (config_.missing != MissingValues::skip)
        return fail(ErrorCode::data, location_of(record, sequences_[i]),
                    text.empty() ? "is missing" : "is " + in_quotes(text) + ", which means missing",
                    missing_label_hint, reason_of(ReasonCode::value_missing, record, sequences_[i]));
      whole = false;
    } else if (const auto problem = read_list(text, row.lists[i])) {
      return refuse(record, names_[sequences_[i]], *problem);
    }
  }
  return whole;
}

}  // namespace hansa::learning::internal
