#include "server/store/held_out.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "server/store/training_metrics.h"

namespace hansa::server {
namespace {

constexpr std::string_view prefix = "held_out_";

std::string short_name(std::string_view held_out_name) {
  if (held_out_name.starts_with(held_out_own)) return std::string(held_out_name.substr(held_out_own.size()));
  if (held_out_name.starts_with(held_out_personal_own))
    return "personal " + std::string(held_out_name.substr(held_out_personal_own.size()));
  std::string out(held_out_name.substr(prefix.size()));
  std::ranges::replace(out, '_', ' ');
  return out;
}

// The place of a quantile among the clients, from 0 on.
std::size_t rank(double quantile, std::size_t clients) {
  const auto place = static_cast<std::size_t>(std::ceil(quantile * static_cast<double>(clients)));
  return std::max<std::size_t>(place, 1) - 1;
}

// The interval of the client at a place in ascending order.
using AtPlace = std::function<Interval(std::size_t)>;

// Of the places from `first` to before `last`.
Interval mean_of_places(const AtPlace& at, std::size_t first, std::size_t last) {
  Interval sum;
  for (std::size_t place = first; place < last; ++place) {
    const Interval one = at(place);
    sum.least += one.least;
    sum.most += one.most;
  }
  const auto count = static_cast<double>(last - first);
  return {sum.least / count, sum.most / count};
}

Spread spread_of(std::string_view name, std::size_t clients, const AtPlace& at) {
  Spread out{{}, at(rank(0.25, clients)), at(rank(0.5, clients)), at(rank(0.75, clients))};
  out.mean = mean_of_places(at, 0, clients);
  if (is_own_metric(name)) return out;
  out.worst = at(is_loss(name) ? clients - 1 : 0);
  const std::size_t tenth = (clients + 9) / 10;
  out.worst_tenth =
      is_loss(name) ? mean_of_places(at, clients - tenth, clients) : mean_of_places(at, 0, tenth);
  return out;
}

const Metric* find(const Metrics& metrics, std::string_view name) {
  const auto found = std::ranges::find(metrics, name, &Metric::name);
  return found != metrics.end() && is_possible(*found) ? &*found : nullptr;
}

std::optional<HeldOutMetric> over_clients(const RoundRecord& record, std::string_view name) {
  HeldOutMetric out{short_name(name), {std::string(name), 0, 0}};
  std::vector<double> means;
  for (const Participation& participation : record.participations) {
    if (participation.outcome != Outcome::counted) continue;
    const Metric* metric = find(participation.metrics, name);
    if (metric == nullptr) continue;
    out.total.sum += metric->sum;
    out.total.count += metric->count;
    means.push_back(metric->sum / metric->count);
  }
  if (means.empty()) return std::nullopt;
  std::ranges::sort(means);
  out.clients = static_cast<std::uint32_t>(means.size());
  out.middle = means[is_loss(name) ? means.size() / 2 : (means.size() - 1) / 2];
  out.spread = spread_of(name, means.size(), [&](std::size_t place) {
    return Interval{means[place], means[place]};
  });
  return out;
}

// The clients in each bin. Empty if they cannot be counts of `clients` clients at most.
std::vector<std::uint32_t> read_bins(const Metrics& sums, std::string_view name, std::size_t clients) {
  std::vector<std::uint32_t> out;
  double total = 0, reporters = 0;
  for (std::size_t bin = 0; bin < held_out_bins(name); ++bin) {
    const auto found = std::ranges::find(sums, held_out_bin_name(name, bin), &Metric::name);
    if (found == sums.end()) return {};
    const bool is_count =
        found->sum >= 0 && found->sum <= found->count && found->sum == std::floor(found->sum);
    if (bin == 0) reporters = found->count;
    if (!is_count || found->count != reporters || !(reporters <= static_cast<double>(clients))) return {};
    total += found->sum;
    out.push_back(static_cast<std::uint32_t>(found->sum));
  }
  return total == reporters && total > 0 ? out : std::vector<std::uint32_t>{};
}

std::optional<HeldOutMetric> of_sum(const RoundRecord& record, std::string_view name) {
  const Metrics& sums = record.secure->metrics;
  const Metric* total = find(sums, name);
  if (total == nullptr) return std::nullopt;
  HeldOutMetric out{short_name(name), *total, 0, total->sum / total->count};
  const auto counted = std::ranges::count(record.participations, Outcome::counted, &Participation::outcome);
  const std::vector<std::uint32_t> bins = read_bins(sums, name, static_cast<std::size_t>(counted));
  for (const std::uint32_t clients : bins) out.clients += clients;
  if (is_own_metric(name)) {
    // Without bins, it is known how many clients reported it only if they are those that reported the loss.
    const auto loss = of_sum(record, name.starts_with(held_out_own) ? held_out_loss : held_out_personal_loss);
    if (loss && loss->total.count == out.total.count) out.clients = loss->clients;
  }
  if (bins.empty()) return out;
  out.spread = spread_of(name, out.clients, [&](std::size_t place) {
    std::size_t bin = 0;
    for (std::size_t below = bins[0]; below <= place; below += bins[bin]) ++bin;
    return held_out_bin(name, bin);
  });
  return out;
}

// The model's own metrics, of which the record has no list: those that most clients reported, in the order of their
// names. A client can name what it likes, so their number is bounded.
std::vector<std::string> own_metrics(const RoundRecord& record) {
  constexpr std::size_t most = 16;  // 8 of the global model and 8 of the personal one
  std::map<std::string, std::uint32_t> reporters;
  const auto add = [&](const Metrics& metrics) {
    for (const Metric& metric : metrics)
      if (is_own_metric(metric.name) && is_possible(metric)) ++reporters[metric.name];
  };
  if (record.secure) add(record.secure->metrics);
  else
    for (const Participation& participation : record.participations)
      if (participation.outcome == Outcome::counted) add(participation.metrics);
  std::vector<std::pair<std::string, std::uint32_t>> all(reporters.begin(), reporters.end());
  std::ranges::stable_sort(all, std::greater{}, [](const auto& entry) { return entry.second; });
  all.resize(std::min(all.size(), most));
  std::vector<std::string> out;
  for (auto& [name, clients] : all) out.push_back(std::move(name));
  std::ranges::sort(out);
  return out;
}

}  // namespace

std::optional<HeldOut> held_out(const RoundRecord& record) {
  HeldOut out{RoundId(std::max(record.round.value, 1U) - 1), {}};
  const auto add = [&](std::string_view name) {
    if (auto metric = record.secure ? of_sum(record, name) : over_clients(record, name))
      out.metrics.push_back(std::move(*metric));
  };
  for (const std::string_view name : held_out_names) add(name);
  for (const std::string& name : own_metrics(record)) add(name);
  if (out.metrics.empty()) return std::nullopt;
  return out;
}

Metrics means_of(const HeldOut& measured) {
  Metrics out;
  for (const HeldOutMetric& metric : measured.metrics)
    out.push_back({metric.name, metric.total.sum, metric.total.count});
  return out;
}

Metrics middles_of(const HeldOut& measured, std::uint32_t counted) {
  constexpr std::string_view personal = "personal ";
  const bool has_personal = std::ranges::any_of(measured.metrics, [&](const HeldOutMetric& metric) {
    return metric.name.starts_with(personal) && metric.clients >= std::min(reporters_min, counted);
  });
  Metrics out;
  for (const HeldOutMetric& metric : measured.metrics) {
    if (metric.name.starts_with(personal) != has_personal) continue;
    if (metric.clients < std::min(reporters_min, counted)) continue;
    out.push_back({has_personal ? metric.name.substr(personal.size()) : metric.name, metric.middle, 1});
  }
  return out;
}

std::optional<double> typical_held_out_loss(const RoundRecord& record) {
  const auto of = [&](std::string_view name) {
    return record.secure ? of_sum(record, name) : over_clients(record, name);
  };
  auto metric = of(held_out_personal_loss);
  if (!metric) metric = of(held_out_loss);
  if (!metric || metric->clients < std::min(reporters_min, counted_clients(record))) return std::nullopt;
  return record.secure ? metric->middle : metric->spread->median.least;
}

std::string text_of(const Interval& interval) {
  if (interval.least == interval.most) return fmt::format("{:.4g}", interval.least);
  if (std::isinf(interval.least) && std::isinf(interval.most)) return "unknown";
  if (std::isinf(interval.least)) return fmt::format("below {:.4g}", interval.most);
  if (std::isinf(interval.most)) return fmt::format("from {:.4g}", interval.least);
  return fmt::format("{:.4g} to {:.4g}", interval.least, interval.most);
}

std::string spread_text(const HeldOutMetric& metric) {
  const Spread& spread = *metric.spread;
  const bool has_tenth = spread.worst_tenth && metric.clients > 10;
  return fmt::format("{} client{}: {}quartiles {}, {}, {}; mean {}{}", metric.clients,
                     metric.clients == 1 ? "" : "s",
                     spread.worst ? "worst " + text_of(*spread.worst) + "; " : "",
                     text_of(spread.lower_quartile), text_of(spread.median), text_of(spread.upper_quartile),
                     text_of(spread.mean), has_tenth ? ", worst tenth " + text_of(*spread.worst_tenth) : "");
}

std::string text_of(const HeldOut& measured) {
  std::string out;
  for (const HeldOutMetric& metric : measured.metrics) {
    out += fmt::format("{}{} {:.4f}", out.empty() ? "" : ", ", metric.name,
                       metric.total.sum / metric.total.count);
    if (metric.spread) out += " (" + spread_text(metric) + ")";
  }
  return out;
}

}  // namespace hansa::server
