#include "learning/data/internal/csv_rows.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "common/spelling.h"
#include "learning/data/internal/byte_stream.h"

namespace hansa::learning::internal {
namespace {

constexpr std::size_t values_max = std::size_t{1} << 30;  // 4 GiB of floats
constexpr std::int64_t class_index_max = 1'000'000;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

bool is_missing(std::string_view text) {
  constexpr std::array<std::string_view, 10> words{"",    "NA",   "N/A",  "NaN",  "nan",
                                                   "NAN", "null", "NULL", "None", "?"};
  return std::ranges::find(words, text) != words.end();
}

std::optional<double> number_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool fits_float(double value) {
  return std::isfinite(value) && std::abs(value) <= double{std::numeric_limits<float>::max()};
}

// For messages: short, and in one line.
std::string in_quotes(std::string_view text) {
  std::string out = "\"" + std::string(text.substr(0, 40)) + (text.size() > 40 ? "...\"" : "\"");
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return out;
}

// "skip" is one way out for a label too; "zero" and "mean" are none.
constexpr const char* missing_input_mend =
    "fill it in, or set missing = \"skip\", \"zero\" or \"mean\" beside data.file";
constexpr const char* missing_label_mend = "fill it in, or set missing = \"skip\" beside data.file";

}  // namespace

Result<CsvRowReader> CsvRowReader::create(const DataConfig& config, const CsvRecord& header,
                                          std::string place) {
  CsvRowReader out(config, std::move(place));
  out.header_line_ = header.line;
  for (const std::string_view name : header.fields) out.names_.emplace_back(trimmed(name));
  HANSA_TRY(out.label_, out.find_column(config.label, "label"));
  if (!config.group.empty()) {
    HANSA_TRY(out.group_, out.find_column(config.group, "group"));
  }
  HANSA_TRY_VOID(out.choose_inputs());
  return out;
}

Result<std::size_t> CsvRowReader::find_column(const std::string& name, std::string_view key) const {
  const std::string place = place_ + ":" + std::to_string(header_line_);
  const auto count = std::ranges::count(names_, name);
  if (count == 1) return static_cast<std::size_t>(std::ranges::find(names_, name) - names_.begin());
  if (count > 1)
    return fail(ErrorCode::data, place, "has " + std::to_string(count) + " columns \"" + name + "\"",
                "give each column a name of its own");
  if (const auto near = nearest_word(name, names_); near && names_.size() > 1)
    return fail(ErrorCode::data, place,
                "has no column \"" + name + "\", which data." + std::string(key) + " names",
                "did you mean \"" + *near + "\"?");
  std::string all;
  for (std::size_t i = 0; i < names_.size() && i < 12; ++i)
    all += (i == 0 ? "" : ", ") + in_quotes(names_[i]);
  return fail(ErrorCode::data, place,
              "has no column \"" + name + "\", which data." + std::string(key) + " names",
              names_.size() == 1 ? "its one column is " + all + ": is data.delimiter right?"
                                 : "its columns are " + all + (names_.size() > 12 ? ", ..." : ""));
}

Result<void> CsvRowReader::choose_inputs() {
  if (config_.columns.empty()) {
    for (std::size_t i = 0; i < names_.size(); ++i)
      if (i != label_ && i != group_) inputs_.push_back(i);
    if (inputs_.empty())
      return fail(ErrorCode::data, place_ + ":" + std::to_string(header_line_),
                  "has no column besides the label", "check data.delimiter, or name another file");
    return {};
  }
  for (const std::string& name : config_.columns) {
    HANSA_TRY(const std::size_t column, find_column(name, "columns"));
    inputs_.push_back(column);
  }
  return {};
}

std::string CsvRowReader::place_of(const CsvRecord& record, std::size_t column) const {
  return place_ + ":" + std::to_string(record.line) + ": column \"" + names_[column] + "\"";
}

Result<std::int64_t> CsvRowReader::read_class(const CsvRecord& record, std::string_view text) const {
  if (!config_.classes.empty()) {
    const auto found = std::ranges::find(config_.classes, text);
    if (found != config_.classes.end()) return found - config_.classes.begin();
    return fail(ErrorCode::data, place_of(record, label_),
                "is " + in_quotes(text) + ", which is not in data.classes",
                "add it there on all clients, or mend the row");
  }
  const auto value = number_of(text);
  if (!value)
    return fail(ErrorCode::data, place_of(record, label_),
                "is " + in_quotes(text) + ", which is not a number",
                "name the labels in data.classes, the same list on all clients");
  if (*value < 0 || *value > double{class_index_max} || *value != std::floor(*value))
    return fail(ErrorCode::data, place_of(record, label_),
                "is " + in_quotes(text) + ", but a class is a whole number from 0",
                "for a number to predict set data.target = \"real\"");
  return static_cast<std::int64_t>(*value);
}

Result<bool> CsvRowReader::read_label(const CsvRecord& record, CsvRow& row) const {
  const std::string_view text = trimmed(record.fields[label_]);
  // A word that is a class counts as such, even "NA".
  const bool named = std::ranges::find(config_.classes, text) != config_.classes.end();
  if (!named && is_missing(text)) {
    if (config_.missing == MissingValues::skip) return false;
    return fail(ErrorCode::data, place_of(record, label_), "is missing", missing_label_mend);
  }
  if (config_.target == TargetKind::class_index) {
    HANSA_TRY(row.class_index, read_class(record, text));
    return true;
  }
  const auto value = number_of(text);
  if (!value || !fits_float(*value))
    return fail(ErrorCode::data, place_of(record, label_),
                "is " + in_quotes(text) + ", which is not a number", "mend the row");
  row.real = static_cast<float>(*value);
  return true;
}

Result<bool> CsvRowReader::read(const CsvRecord& record, CsvRow& row) const {
  if (record.fields.size() != names_.size())
    return fail(ErrorCode::data, place_ + ":" + std::to_string(record.line),
                "has " + std::to_string(record.fields.size()) + " fields, but the header has " +
                    std::to_string(names_.size()),
                "mend the row; a field that holds the delimiter stands in quotes");
  if (group_) row.group = trimmed(record.fields[*group_]);
  HANSA_TRY(bool whole, read_label(record, row));
  row.inputs.resize(inputs_.size());
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const std::string_view text = trimmed(record.fields[inputs_[i]]);
    if (is_missing(text)) {
      if (config_.missing == MissingValues::refuse)
        return fail(ErrorCode::data, place_of(record, inputs_[i]),
                    text.empty() ? "is missing" : "is " + in_quotes(text) + ", that is missing",
                    missing_input_mend);
      whole &= config_.missing != MissingValues::skip;
      row.inputs[i] = std::numeric_limits<float>::quiet_NaN();
      continue;
    }
    const auto value = number_of(text);
    if (!value)
      return fail(ErrorCode::data, place_of(record, inputs_[i]),
                  "is " + in_quotes(text) + ", which is not a number",
                  "mend the row, or choose other data.columns");
    if (!fits_float(*value))
      return fail(ErrorCode::data, place_of(record, inputs_[i]),
                  "is " + in_quotes(text) + ", which is not a finite float32", "mend the row");
    row.inputs[i] = static_cast<float>(*value);
  }
  return whole;
}

namespace {

void replace_missing(CsvTable& table, MissingValues rule) {
  for (std::size_t column = 0; column < table.columns; ++column) {
    double sum = 0;
    std::size_t count = 0;
    for (std::size_t i = column; i < table.inputs.size(); i += table.columns)
      if (!std::isnan(table.inputs[i])) sum += table.inputs[i], ++count;
    if (count == table.row_count()) continue;
    // A column without a single value has the mean 0.
    const float value =
        rule == MissingValues::mean && count > 0 ? static_cast<float>(sum / static_cast<double>(count)) : 0;
    for (std::size_t i = column; i < table.inputs.size(); i += table.columns)
      if (std::isnan(table.inputs[i])) table.inputs[i] = value;
  }
}

// Mean 0 and population deviation 1; a constant column becomes 0.
void standardise(CsvTable& table) {
  const auto rows = static_cast<double>(table.row_count());
  for (std::size_t column = 0; column < table.columns; ++column) {
    double sum = 0;
    for (std::size_t i = column; i < table.inputs.size(); i += table.columns) sum += table.inputs[i];
    const double mean = sum / rows;
    double squares = 0;
    for (std::size_t i = column; i < table.inputs.size(); i += table.columns) {
      const double difference = table.inputs[i] - mean;
      squares += difference * difference;
    }
    const double deviation = std::sqrt(squares / rows);
    const double factor = deviation > 1e-12 * std::abs(mean) ? 1 / deviation : 0;
    for (std::size_t i = column; i < table.inputs.size(); i += table.columns)
      table.inputs[i] = static_cast<float>((table.inputs[i] - mean) * factor);
  }
}

// Rows in the order of their segments' groups, for rows that came interleaved.
void sort_by(CsvTable& table, const std::vector<std::uint32_t>& groups) {
  if (std::ranges::is_sorted(groups)) return;
  std::vector<std::size_t> order(table.row_count());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t row) { return groups[row]; });
  const auto reorder = [&](auto& values, std::size_t width) {
    if (values.empty()) return;
    auto out = values;
    for (std::size_t i = 0; i < order.size(); ++i)
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(order[i] * width), width,
                  out.begin() + static_cast<std::ptrdiff_t>(i * width));
    values = std::move(out);
  };
  reorder(table.inputs, table.columns);
  reorder(table.class_indices, 1);
  reorder(table.reals, 1);
  reorder(table.segments, 1);
}

// Numbers segments as rows come: a new one for each group, and after each row that is left out.
class Segments {
 public:
  void skip(const std::string& group) { current_.erase(group); }
  std::uint32_t next(const std::string& group) {
    const auto [found, is_new] = current_.try_emplace(group, count_);
    if (is_new) ++count_;
    return found->second;
  }
  std::uint32_t group_number(const std::string& group) {
    return groups_.try_emplace(group, static_cast<std::uint32_t>(groups_.size())).first->second;
  }

 private:
  std::uint32_t count_ = 0;
  std::map<std::string, std::uint32_t> current_;
  std::map<std::string, std::uint32_t> groups_;
};

}  // namespace

std::int64_t CsvTable::class_count(const DataConfig& config) const {
  if (!config.classes.empty()) return static_cast<std::int64_t>(config.classes.size());
  return class_indices.empty() ? 0 : *std::ranges::max_element(class_indices) + 1;
}

Result<CsvTable> read_csv_table(const DataConfig& config, std::uint64_t rows_max) {
  const std::string place = config.file.string();
  HANSA_TRY(ByteStream stream, ByteStream::open(config.file, "set data.file to a CSV file, plain or .gz"));
  CsvReader reader([&stream](std::span<std::uint8_t> out) { return stream.read_some(out); }, place,
                   config.delimiter.at(0));
  CsvRecord record;
  HANSA_TRY(const bool has_header, reader.next(record));
  if (!has_header) return stream.bad("is empty", "its first line must name the columns");
  HANSA_TRY(const CsvRowReader rows, CsvRowReader::create(config, record, place));

  CsvTable out;
  out.columns = rows.input_count();
  CsvRow row;
  Segments segments;
  std::vector<std::uint32_t> groups;
  while (rows_max == 0 || out.row_count() < rows_max) {
    HANSA_TRY(const bool more, reader.next(record));
    if (!more) break;
    HANSA_TRY(const bool whole, rows.read(record, row));
    if (!whole) {
      segments.skip(row.group);
      continue;
    }
    if (out.inputs.size() + row.inputs.size() > values_max)
      return fail(ErrorCode::resource, place + ":" + std::to_string(record.line),
                  "the file holds more than 4 GiB of numbers",
                  "set data.examples_max, or use kind \"tensors\", which stays on disk");
    out.inputs.insert(out.inputs.end(), row.inputs.begin(), row.inputs.end());
    if (config.target == TargetKind::class_index) out.class_indices.push_back(row.class_index);
    else out.reals.push_back(row.real);
    out.segments.push_back(segments.next(row.group));
    groups.push_back(segments.group_number(row.group));
  }
  if (out.row_count() == 0)
    return stream.bad("holds no example",
                      config.missing == MissingValues::skip
                          ? "every row misses a value: give this client rows that are whole"
                          : "give this client a file with rows below the header");
  replace_missing(out, config.missing);
  if (config.scale == Scaling::standard) standardise(out);
  sort_by(out, groups);
  return out;
}

}  // namespace hansa::learning::internal
