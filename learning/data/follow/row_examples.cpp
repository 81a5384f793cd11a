#include "learning/data/follow/row_examples.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

namespace hansa::learning::internal {

using nlohmann::json;

RowExamples::RowExamples(const DataConfig& config, std::size_t columns) : config_(config), columns_(columns) {
  if (config_.kind == "windows") reach_ = std::size_t{config_.window} + config_.horizon;
  examples_ = empty();
}

Examples RowExamples::empty() const {
  std::vector<std::int64_t> input{static_cast<std::int64_t>(columns_)};
  if (reach_ > 0) input.push_back(static_cast<std::int64_t>(config_.window));
  return Examples(
      one_input(std::move(input), config_.target == TargetKind::real
                                      ? real_target()
                                      : class_target(static_cast<std::int64_t>(config_.classes.size()))));
}

void RowExamples::give_target(const CsvRow& row) {
  if (config_.target == TargetKind::real) {
    examples_.values<float>(1).push_back(row.real);
    return;
  }
  examples_.values<std::int64_t>(1).push_back(row.class_index);
  std::int64_t& classes = examples_.shape.targets[0].class_count;
  classes = std::max(classes, row.class_index + 1);
}

void RowExamples::give_window(const Series& series, const CsvRow& last) {
  for (std::size_t column = 0; column < columns_; ++column)
    for (std::size_t row = 0; row < config_.window; ++row)
      examples_.values<float>(0).push_back(series.rows[row][column]);
  give_target(last);
}

void RowExamples::add(const CsvRow& row) {
  std::vector<float> inputs;
  for (const double value : row.inputs) inputs.push_back(std::isnan(value) ? 0 : static_cast<float>(value));
  if (reach_ == 0) {
    std::vector<float>& all = examples_.values<float>(0);
    all.insert(all.end(), inputs.begin(), inputs.end());
    give_target(row);
    return;
  }
  Series& series = series_[row.group];
  series.turn = ++turn_;
  if (series_.size() > groups_max)
    series_.erase(std::ranges::min_element(series_, {}, [](const auto& named) { return named.second.turn; }));
  if (series.to_skip > 0) {
    --series.to_skip;
    return;
  }
  series.rows.push_back(std::move(inputs));
  if (series.rows.size() < reach_) return;
  give_window(series, row);
  const std::size_t dropped = std::min<std::size_t>(config_.stride, series.rows.size());
  series.rows.erase(series.rows.begin(), series.rows.begin() + static_cast<std::ptrdiff_t>(dropped));
  series.to_skip = config_.stride - dropped;
}

Examples RowExamples::take() { return std::exchange(examples_, empty()); }

json RowExamples::carry() const {
  json out = json::object();
  for (const auto& [group, series] : series_)
    out[group] = {{"skip", series.to_skip}, {"rows", std::vector(series.rows.begin(), series.rows.end())}};
  return out;
}

bool RowExamples::restore(const json& carry) {
  if (!carry.is_object()) return false;
  std::map<std::string, Series> restored;
  for (const auto& [group, kept] : carry.items()) {
    Series series;
    series.to_skip = kept.value("skip", std::uint64_t{0});
    for (const json& row : kept.value("rows", json::array())) {
      series.rows.push_back(row.get<std::vector<float>>());
      if (series.rows.back().size() != columns_) return false;
    }
    if (series.rows.size() >= std::max<std::size_t>(reach_, 1)) return false;
    restored.emplace(group, std::move(series));
  }
  series_ = std::move(restored);
  return true;
}

}  // namespace hansa::learning::internal
