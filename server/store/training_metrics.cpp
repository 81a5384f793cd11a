#include "server/store/training_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "common/held_out_metrics.h"

namespace hansa::server {
namespace {

constexpr std::size_t metrics_max = 64;

struct Reported {
  Metric total;  // of the finite values
  std::uint32_t clients = 0;
};

void add(const Metric& metric, std::vector<Reported>& all) {
  if (!(metric.count > 0)) return;
  auto known = std::ranges::find(all, metric.name, [](const Reported& r) { return r.total.name; });
  if (known == all.end()) known = all.insert(all.end(), {{metric.name, 0, 0}, 0});
  ++known->clients;
  if (!std::isfinite(metric.sum) || !std::isfinite(metric.count)) return;
  known->total.sum += metric.sum;
  known->total.count += metric.count;
}

}  // namespace

Metrics training_metrics(const RoundRecord& record) {
  if (record.secure) {
    Metrics out = record.secure->metrics;
    std::erase_if(out, [](const Metric& metric) { return is_of_held_out(metric.name); });
    return out;
  }
  std::vector<Reported> all;
  for (const Participation& participation : record.participations)
    if (participation.outcome == Outcome::counted)
      for (const Metric& metric : participation.metrics)
        if (!is_of_held_out(metric.name)) add(metric, all);
  std::ranges::stable_sort(all, std::greater{}, &Reported::clients);
  Metrics out;
  for (Reported& reported : all) {
    if (out.size() == metrics_max) break;
    out.push_back(std::move(reported.total));
    if (out.back().count == 0) out.back() = {out.back().name, std::numeric_limits<double>::quiet_NaN(), 1};
  }
  return out;
}

std::uint64_t training_examples(const RoundRecord& record) {
  if (record.secure) return record.secure->examples;
  std::uint64_t out = 0;
  for (const Participation& participation : record.participations)
    if (participation.outcome == Outcome::counted) out += participation.examples;
  return out;
}

std::uint32_t counted_clients(const RoundRecord& record) {
  return static_cast<std::uint32_t>(
      std::ranges::count(record.participations, Outcome::counted, &Participation::outcome));
}

}  // namespace hansa::server
