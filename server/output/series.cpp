#include "server/output/series.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "common/utc.h"
#include "server/store/held_out.h"
#include "server/store/training_metrics.h"

namespace hansa::server {
namespace {

bool is_safe(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.';
}

void add(SeriesRow& row, std::string name, double value) {
  const bool known = std::ranges::any_of(row.values, [&](const SeriesValue& v) { return v.name == name; });
  if (!known) row.values.push_back({std::move(name), value});
}

void add_means(SeriesRow& row, std::string_view group, const Metrics& metrics) {
  for (const Metric& metric : metrics)
    if (metric.count > 0) add(row, series_name(group, metric.name), metric.sum / metric.count);
}

// An interval whose ends differ is two series, without the end that does not exist.
void add_interval(SeriesRow& row, const std::string& name, const Interval& interval) {
  if (interval.least == interval.most) return add(row, name, interval.least);
  if (std::isfinite(interval.least)) add(row, name + ".from", interval.least);
  if (std::isfinite(interval.most)) add(row, name + ".to", interval.most);
}

void add_secure(SeriesRow& row, const SecureSumRecord& secure) {
  add(row, "secure/with_keys", secure.with_keys);
  add(row, "secure/recovered", secure.recovered);
  add(row, "secure/neighbours", secure.neighbours);
  add(row, "secure/threshold", secure.threshold);
  add(row, "secure/value_bits", secure.value_bits);
  add(row, "secure/ring_bits", secure.ring_bits);
  add(row, "secure/clip", secure.clip);
  add(row, "secure/setup_seconds", secure.setup_seconds);
  add(row, "secure/unmask_seconds", secure.unmask_seconds);
}

}  // namespace

std::string safe_component(std::string_view text, std::size_t bytes_max) {
  std::string out(text.substr(0, bytes_max));
  for (char& c : out)
    if (!is_safe(c)) c = '_';
  // "." and ".." are folders.
  if (out.find_first_not_of('.') == std::string::npos) out.assign(std::max<std::size_t>(out.size(), 1), '_');
  return out;
}

std::string series_name(std::string_view group, std::string_view metric) {
  return std::string(group) + "/" + safe_component(metric, series_name_bytes_max - group.size() - 1);
}

double start_time(const RoundRecord& record) {
  const auto started = parse_rfc3339(record.started_at);
  return started ? static_cast<double>(started->value) : 0;
}

double commit_time(const RoundRecord& record) {
  const double started = start_time(record);
  constexpr double seconds_most = 1e9;  // of a damaged row: a time that fits in every format
  return started > 0 && std::isfinite(record.seconds)
             ? started + std::clamp(record.seconds, 0.0, seconds_most)
             : started;
}

SeriesRow round_row(const RoundRecord& record) {
  SeriesRow row{record.round, commit_time(record), {}};
  const RoundTotals totals = totals_of(record);
  add(row, "round/seconds", record.seconds);
  add(row, "round/attempt", record.attempt);
  add(row, "round/examples", static_cast<double>(training_examples(record)));
  if (!std::isnan(record.update_norm)) add(row, "round/update_norm", record.update_norm);
  add(row, "clients/selected", static_cast<double>(record.participations.size()));
  add(row, "clients/counted", static_cast<double>(totals.counted));
  add(row, "clients/lost", static_cast<double>(record.participations.size() - totals.counted));
  add(row, "bytes/up", static_cast<double>(totals.bytes_up));
  add(row, "bytes/down", static_cast<double>(totals.bytes_down));
  add_means(row, "train", training_metrics(record));
  if (record.secure) add_secure(row, *record.secure);
  return row;
}

SeriesRow held_out_row(const RoundRecord& record) {
  SeriesRow row{RoundId{record.round.value - 1}, start_time(record), {}};
  const auto measured = held_out(record);
  if (!measured) return row;
  row.round = measured->of_round;
  for (const HeldOutMetric& metric : measured->metrics) {
    const std::string name = series_name("held_out", metric.name);
    add(row, name, metric.total.sum / metric.total.count);
    if (!metric.spread) continue;
    const Spread& spread = *metric.spread;
    if (spread.worst) add_interval(row, name + ".worst", *spread.worst);
    add_interval(row, name + ".lower_quartile", spread.lower_quartile);
    add_interval(row, name + ".median", spread.median);
    add_interval(row, name + ".upper_quartile", spread.upper_quartile);
    add_interval(row, name + ".mean_of_clients", spread.mean);
    if (spread.worst_tenth) add_interval(row, name + ".worst_tenth", *spread.worst_tenth);
    add(row, name + ".clients", metric.clients);
  }
  return row;
}

SeriesRow evaluation_row(RoundId round, const Metrics& metrics, double time) {
  SeriesRow row{round, time, {}};
  add_means(row, "evaluation", metrics);
  return row;
}

std::vector<SeriesRow> rows_of(const RunView& view) {
  std::vector<SeriesRow> out;
  const auto add_row = [&](SeriesRow row) {
    if (!row.values.empty()) out.push_back(std::move(row));
  };
  for (const RoundRecord& record : view.rounds) {
    if (record.round == RoundId{1})
      if (const Metrics* initial = find_evaluation(view, RoundId{0}))
        add_row(evaluation_row(RoundId{0}, *initial, start_time(record)));
    add_row(held_out_row(record));
    add_row(round_row(record));
    if (const Metrics* metrics = find_evaluation(view, record.round))
      add_row(evaluation_row(record.round, *metrics, commit_time(record)));
  }
  return out;
}

std::vector<Series> series_of(std::span<const SeriesRow> rows) {
  std::vector<Series> out;
  std::map<std::string, std::size_t, std::less<>> places;
  for (const SeriesRow& row : rows)
    for (const SeriesValue& value : row.values) {
      const auto [place, is_new] = places.try_emplace(value.name, out.size());
      if (is_new) out.push_back({value.name, {}});
      out[place->second].points.push_back({row.round, row.time, value.value});
    }
  for (Series& series : out) {
    auto& points = series.points;
    std::ranges::stable_sort(points, {}, &SeriesPoint::round);
    // Of equal rounds the last one stays.
    const auto kept = std::unique(points.rbegin(), points.rend(),
                                  [](const auto& a, const auto& b) { return a.round == b.round; });
    points.erase(points.begin(), kept.base());
  }
  return out;
}

const Series* find_series(std::span<const Series> all, std::string_view name) {
  const auto found = std::ranges::find(all, name, &Series::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace hansa::server
