#include "server/store/held_out_json.h"

namespace hansa::server {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Interval& interval) {
  if (interval.least == interval.most) return interval.least;
  return Json::array({interval.least, interval.most});  // an infinite end is dumped as null
}

}  // namespace

Json held_out_json(const HeldOut& measured) {
  Json out;
  out["of_round"] = measured.of_round.value;
  for (const HeldOutMetric& metric : measured.metrics) {
    Json& entry = out[metric.name];
    entry["mean"] = metric.total.sum / metric.total.count;
    entry["examples"] = metric.total.count;
    if (!metric.spread) continue;
    entry["clients"] = metric.clients;
    if (metric.spread->worst) entry["worst"] = json_of(*metric.spread->worst);
    entry["quartiles"] = Json::array({json_of(metric.spread->lower_quartile), json_of(metric.spread->median),
                                      json_of(metric.spread->upper_quartile)});
    entry["mean_of_clients"] = json_of(metric.spread->mean);
    if (metric.spread->worst_tenth) entry["worst_tenth"] = json_of(*metric.spread->worst_tenth);
  }
  return out;
}

}  // namespace hansa::server
