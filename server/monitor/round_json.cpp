#include "server/monitor/round_json.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "server/store/held_out.h"
#include "server/store/training_metrics.h"

namespace hansa::server {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
Json mean_of(const Metric& metric) {
  return metric.count > 0 ? number(metric.sum / metric.count) : Json(nullptr);
}
Json interval(const Interval& value) { return {number(value.least), number(value.most)}; }

Json metrics_json(const Metrics& metrics) {
  Json out = Json::array();
  for (const Metric& metric : metrics)
    out.push_back({{"name", metric.name}, {"mean", mean_of(metric)}, {"count", number(metric.count)}});
  return out;
}

Json held_out_json(const RoundRecord& record) {
  const auto measured = held_out(record);
  if (!measured) return nullptr;
  Json metrics = Json::array();
  std::uint32_t clients = 0;
  for (const HeldOutMetric& metric : measured->metrics) {
    clients = std::max(clients, metric.clients);
    Json worst, quartiles;
    if (metric.spread) {
      if (metric.spread->worst) worst = interval(*metric.spread->worst);
      quartiles = {interval(metric.spread->lower_quartile), interval(metric.spread->median),
                   interval(metric.spread->upper_quartile)};
    }
    metrics.push_back({{"name", metric.name},
                       {"mean", mean_of(metric.total)},
                       {"examples", number(metric.total.count)},
                       {"worst", std::move(worst)},
                       {"quartiles", std::move(quartiles)}});
  }
  return {{"of_round", measured->of_round.value}, {"clients", clients}, {"metrics", std::move(metrics)}};
}

Json secure_json(const RoundRecord& record) {
  if (!record.secure) return nullptr;
  const SecureSumRecord& secure = *record.secure;
  return {{"neighbours", secure.neighbours},
          {"threshold", secure.threshold},
          {"with_keys", secure.with_keys},
          {"recovered", secure.recovered},
          {"value_bits", secure.value_bits},
          {"ring_bits", secure.ring_bits},
          {"clip", number(secure.clip)},
          {"setup_seconds", number(secure.setup_seconds)},
          {"unmask_seconds", number(secure.unmask_seconds)}};
}

}  // namespace

std::string round_json(const RoundRecord& record) {
  std::uint64_t bytes_up = 0, bytes_down = 0;
  for (const Participation& p : record.participations) {
    bytes_up += p.bytes_up;
    bytes_down += p.bytes_down;
  }
  const auto selected = record.participations.size();
  const std::uint32_t counted = counted_clients(record);
  const Json out{{"round", record.round.value},
                 {"started_at", record.started_at},
                 {"seconds", number(record.seconds)},
                 {"attempt", record.attempt},
                 {"selected", selected},
                 {"counted", counted},
                 {"lost", selected - counted},
                 {"examples", training_examples(record)},
                 {"bytes_up", bytes_up},
                 {"bytes_down", bytes_down},
                 {"update_norm", number(record.update_norm)},
                 {"model", record.model.hex()},
                 {"model_kept", record.model_kept},
                 {"training", metrics_json(training_metrics(record))},
                 {"evaluation", Json::array()},
                 {"held_out", held_out_json(record)},
                 {"secure", secure_json(record)}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace hansa::server
