#include "learning/data/internal/csv_table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "common/text.h"
#include "learning/data/internal/byte_stream.h"
#include "learning/data/internal/csv_rows.h"
#include "learning/data/internal/csv_series.h"

namespace hansa::learning::internal {
namespace {

constexpr std::size_t values_max = std::size_t{1} << 30;  // 4 GiB of floats

// The inputs while a file is read: as double if they are to be scaled, because a large value with small differences, such as
// a time in seconds since 1970, loses them as float32.
using Inputs = std::variant<std::vector<float>, std::vector<double>>;

std::size_t size_of(const Inputs& inputs) {
  return std::visit([](const auto& values) { return values.size(); }, inputs);
}

void append(std::span<const double> row, Inputs& inputs) {
  std::visit(
      [row](auto& values) {
        using Value = typename std::decay_t<decltype(values)>::value_type;
        for (const double value : row) values.push_back(static_cast<Value>(value));
      },
      inputs);
}

template <class Value>
void replace_missing(std::vector<Value>& inputs, std::size_t columns, MissingValues rule) {
  for (std::size_t column = 0; column < columns; ++column) {
    double sum = 0;
    std::size_t count = 0;
    for (std::size_t i = column; i < inputs.size(); i += columns)
      if (!std::isnan(inputs[i])) sum += inputs[i], ++count;
    if (count == inputs.size() / columns) continue;
    // A column without any value has the mean 0.
    const auto value = rule == MissingValues::mean && count > 0
                           ? static_cast<Value>(sum / static_cast<double>(count))
                           : Value(0);
    for (std::size_t i = column; i < inputs.size(); i += columns)
      if (std::isnan(inputs[i])) inputs[i] = value;
  }
}

// Scales each column to mean 0 and population standard deviation 1. A constant column becomes 0.
std::vector<float> standardised(const std::vector<double>& inputs, std::size_t columns) {
  std::vector<float> out(inputs.size());
  const auto rows = static_cast<double>(inputs.size() / columns);
  for (std::size_t column = 0; column < columns; ++column) {
    double sum = 0;
    for (std::size_t i = column; i < inputs.size(); i += columns) sum += inputs[i];
    const double mean = sum / rows;
    double squares = 0;
    for (std::size_t i = column; i < inputs.size(); i += columns) {
      const double difference = inputs[i] - mean;
      squares += difference * difference;
    }
    const double deviation = std::sqrt(squares / rows);
    const double factor = deviation > 1e-12 * std::abs(mean) ? 1 / deviation : 0;
    for (std::size_t i = column; i < inputs.size(); i += columns)
      out[i] = static_cast<float>((inputs[i] - mean) * factor);
  }
  return out;
}

// Assigns segment numbers to rows in the order of the file: a new segment starts with each group and after each skipped
// row.
class Segments {
 public:
  void skip(const std::string& group) { group_named(group).open = false; }
  std::uint32_t next(const std::string& group) {
    Group& found = group_named(group);
    if (!found.open) {
      found.open = true;
      found.segment = static_cast<std::uint32_t>(groups_.size());
      groups_.push_back(found.number);
    }
    return found.segment;
  }
  // Groups are numbered in order of their first row.
  [[nodiscard]] std::uint32_t group_of(std::uint32_t segment) const { return groups_[segment]; }

 private:
  struct Group {
    std::uint32_t number = 0;
    std::uint32_t segment = 0;  // segment of its next row, if it is open
    bool open = false;
  };
  Group& group_named(const std::string& name) {
    return by_name_.try_emplace(name, Group{static_cast<std::uint32_t>(by_name_.size())}).first->second;
  }

  std::map<std::string, Group> by_name_;
  std::vector<std::uint32_t> groups_;  // by segment
};

Result<void> add_lists(const CsvRow& row, const CsvRecord& record, const CsvRowReader& rows,
                       std::vector<ArrayColumn>& sequences) {
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const NumberList& list = row.lists[i];
    const std::vector<std::int64_t> shape{static_cast<std::int64_t>(list.reals.size())};
    if (const auto problem = sequences[i].add({shape, list.reals, list.integers}))
      return rows.refuse(record, sequences[i].name(), *problem);
  }
  return {};
}

// In the size of a float.
std::uint64_t values_of(const std::vector<ArrayColumn>& sequences) {
  std::uint64_t bytes = 0;
  for (const ArrayColumn& column : sequences) bytes += column.bytes();
  return bytes / sizeof(float);
}

// Sorts rows by the group of their segment, for files in which groups are interleaved.
void sort_by_group(CsvTable& table, const Segments& segments) {
  const auto group = [&](std::uint32_t segment) { return segments.group_of(segment); };
  if (std::ranges::is_sorted(table.segments, {}, group)) return;
  std::vector<std::size_t> order(table.row_count());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t row) { return group(table.segments[row]); });
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

// Programs and people write titles above the header: a line below it that names the label is then the header.
Result<CsvRowReader> rows_below(const CsvRecord& first, CsvReader& reader, const DataConfig& config,
                                const std::string& location) {
  constexpr int lines_above_max = 20;
  auto rows = CsvRowReader::create(config, first, location);
  if (rows) return rows;
  CsvRecord record;
  for (int line = 0; line < lines_above_max; ++line) {
    const auto more = reader.next(record);
    if (!more || !*more) break;
    const auto is_label = [&](std::string_view field) { return trimmed(field) == config.label; };
    if (std::ranges::none_of(record.fields, is_label)) continue;
    rows.error().hint =
        "the names of the columns are in line " + std::to_string(record.line) + ": remove the lines above it";
    break;
  }
  return rows;
}

}  // namespace

TensorSpec CsvTable::target(const DataConfig& config) const {
  if (config.target == TargetKind::real) return real_target();
  if (!config.classes.empty()) return class_target(static_cast<std::int64_t>(config.classes.size()));
  return class_target(class_indices.empty() ? 0 : *std::ranges::max_element(class_indices) + 1);
}

DataDescription CsvTable::describe(const ExampleShape& shape) const {
  DataDescription out = names;
  const DataDescription of_shape = learning::describe(shape);
  out.inputs = of_shape.inputs;
  out.class_count = of_shape.class_count;
  return out;
}

Result<CsvTable> read_csv_table(const DataConfig& config, std::uint64_t rows_max) {
  const std::string location = config.file.string();
  HANSA_TRY(ByteStream stream, ByteStream::open(config.file, "set data.file to a CSV file, plain or .gz"));
  HANSA_TRY_VOID(stream.require_text());
  CsvReader reader([&stream](std::span<std::uint8_t> out) { return stream.read_some(out); }, location,
                   config.delimiter.at(0));
  CsvRecord record;
  HANSA_TRY(const bool has_header, reader.next(record));
  if (!has_header) return stream.bad("is empty", "its first line must name the columns");
  HANSA_TRY(const CsvRowReader rows, rows_below(record, reader, config, location));

  CsvTable out;
  out.columns = rows.input_count();
  for (const std::string& name : rows.sequence_names())
    out.sequences.push_back(ArrayColumn::sequence(name, {0}, config.length));
  std::optional<SeriesRules> series;
  if (has_series(config)) series.emplace(config);
  CsvRow row;
  ColumnRanges ranges;
  Segments segments;
  Inputs inputs;
  if (config.scale == Scaling::standard) inputs.emplace<std::vector<double>>();
  while (rows_max == 0 || out.row_count() < rows_max) {
    HANSA_TRY(const bool more, reader.next(record));
    if (!more) break;
    HANSA_TRY(const bool whole, rows.read(record, row));
    if (!whole) {
      ranges.skip_row();
      if (!series) segments.skip(row.group);
      continue;
    }
    if (series) {
      const auto taken = series->take(row, record.line);
      if (!taken) return rows.refuse(record, taken.error().column, taken.error().problem);
      if (!*taken) continue;
    }
    HANSA_TRY_VOID(add_lists(row, record, rows, out.sequences));
    const std::uint64_t padded = series ? series->count() * config.length * out.columns : 0;
    if (std::max<std::uint64_t>(size_of(inputs) + row.inputs.size(), padded) + values_of(out.sequences) >
        values_max)
      return fail(ErrorCode::resource, location + ":" + std::to_string(record.line),
                  "the file holds more than 4 GiB of numbers",
                  "set data.examples_max, or use kind \"tensors\", which stays on disk",
                  {ReasonCode::data_too_large, {}});
    append(row.inputs, inputs);
    ranges.add(row.inputs);
    if (config.target == TargetKind::class_index) out.class_indices.push_back(row.class_index);
    else out.reals.push_back(row.real);
    out.segments.push_back(segments.next(row.group));
  }
  if (out.row_count() == 0)
    return stream.bad("holds no example",
                      config.missing == MissingValues::skip
                          ? "every row has a missing value: give this client complete rows"
                          : "give this client a file with rows below the header",
                      ReasonCode::too_few_examples);
  out.names = rows.describe(one_input({static_cast<std::int64_t>(out.columns)}, out.target(config)), ranges);
  if (out.columns == 0) return out;
  std::visit([&](auto& values) { replace_missing(values, out.columns, config.missing); }, inputs);
  if (auto* of_float = std::get_if<std::vector<float>>(&inputs)) out.inputs = std::move(*of_float);
  else out.inputs = standardised(std::get<std::vector<double>>(inputs), out.columns);
  sort_by_group(out, segments);
  return out;
}

}  // namespace hansa::learning::internal
