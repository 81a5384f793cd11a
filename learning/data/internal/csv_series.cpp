#include "learning/data/internal/csv_series.h"

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

#include "common/text.h"
#include "learning/data/internal/array_column.h"

namespace hansa::learning::internal {

bool has_series(const DataConfig& config) { return config.kind == "csv" && !config.group.empty(); }

tl::expected<bool, SeriesRules::InvalidCell> SeriesRules::take(const CsvRow& row, std::uint64_t line) {
  if (row.group.empty())
    return tl::unexpected(
        InvalidCell{{"is empty", "write in each row which series it belongs to", ReasonCode::value_missing},
                    config_.group});
  auto found = series_.find(row.group);
  if (found == series_.end()) {
    if (config_.examples_max > 0 && series_.size() >= config_.examples_max) return false;
    found = series_.emplace(row.group, Series{0, line, row.class_index, row.real}).first;
  }
  Series& series = found->second;
  if (row.class_index != series.class_index || row.real != series.real)
    return tl::unexpected(InvalidCell{
        {"is not the label of line " + std::to_string(series.first_line) + ", which has the same " +
             in_quotes(printable(config_.group)) + ", " + in_quotes(printable(row.group)),
         "a series is one example with one label; to label each row, use kind \"windows\""},
        config_.label});
  if (series.rows == config_.length)
    return tl::unexpected(InvalidCell{
        {"is row " + std::to_string(series.rows + 1) + " of the series " + in_quotes(printable(row.group)) +
             ", and data.length is " + std::to_string(config_.length),
         "raise data.length on all clients, or cut the series"},
        {}});
  ++series.rows;
  return true;
}

Examples take_series(CsvTable& table, const DataConfig& config) {
  const auto columns = static_cast<std::int64_t>(table.columns);
  ArrayColumn x = ArrayColumn::sequence("x", {0, columns}, config.length);
  const bool is_real = config.target == TargetKind::real;
  TensorValues labels = no_values(is_real ? ElementType::float32 : ElementType::int64);
  const auto& segments = table.segments;
  std::vector<double> reals;
  for (auto first = segments.begin(); first != segments.end();) {
    const auto end =
        std::find_if(first, segments.end(), [&](std::uint32_t other) { return other != *first; });
    const auto row = first - segments.begin();
    const std::vector<std::int64_t> shape{end - first, columns};
    const auto inputs = table.inputs.begin() + row * columns;
    reals.assign(inputs, inputs + (end - first) * columns);
    [[maybe_unused]] const auto problem = x.add({shape, reals, {}});
    assert(!problem);  // SeriesRules
    const auto at = static_cast<std::size_t>(row);
    if (is_real) std::get<std::vector<float>>(labels).push_back(table.reals[at]);
    else std::get<std::vector<std::int64_t>>(labels).push_back(table.class_indices[at]);
    first = end;
  }
  Examples out;
  x.move_to(out);
  out.shape.targets = {table.target(config)};
  out.tensors.push_back(std::move(labels));
  table.inputs.clear();
  table.segments.clear();
  return out;
}

}  // namespace hansa::learning::internal
