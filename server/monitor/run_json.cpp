#include "server/monitor/run_json.h"

#include <nlohmann/json.hpp>

#include "server/store/held_out.h"
#include "server/store/record_json.h"
#include "server/store/training_metrics.h"

namespace hansa::server {
namespace {

using Json = nlohmann::ordered_json;

Json interval(const Interval& value) { return Json::array({value.least, value.most}); }

Json held_out_of(const RoundRecord& record) {
  const auto measured = held_out(record);
  if (!measured) return nullptr;
  Json metrics = Json::array();
  std::optional<std::uint32_t> clients;
  for (const HeldOutMetric& metric : measured->metrics) {
    Json entry{{"name", metric.name}, {"mean", nullptr}, {"examples", metric.total.count}};
    if (metric.total.count > 0) entry["mean"] = metric.total.sum / metric.total.count;
    entry["worst"] = nullptr;
    entry["quartiles"] = nullptr;
    entry["mean_of_clients"] = nullptr;
    entry["worst_tenth"] = nullptr;
    if (const auto& spread = metric.spread) {
      if (!clients) clients = metric.clients;
      if (spread->worst) entry["worst"] = interval(*spread->worst);
      entry["quartiles"] = Json::array(
          {interval(spread->lower_quartile), interval(spread->median), interval(spread->upper_quartile)});
      entry["mean_of_clients"] = interval(spread->mean);
      if (spread->worst_tenth) entry["worst_tenth"] = interval(*spread->worst_tenth);
    }
    metrics.push_back(std::move(entry));
  }
  Json out{{"of_round", measured->of_round.value}, {"clients", nullptr}};
  if (clients) out["clients"] = *clients;
  out["metrics"] = std::move(metrics);
  return out;
}

Json secure_of(const RoundRecord& record) {
  return record.secure ? secure_sum_json(*record.secure) : Json(nullptr);
}

}  // namespace

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json api_metrics(const Metrics& metrics) {
  Json out = Json::array();
  for (const Metric& metric : metrics) {
    Json& entry = out.emplace_back(Json{{"name", metric.name}, {"mean", nullptr}, {"count", metric.count}});
    if (metric.count > 0) entry["mean"] = metric.sum / metric.count;
  }
  return out;
}

Json api_participant(const Participation& participation) {
  Json out{{"client", participation.client},
           {"outcome", name(participation.outcome)},
           {"reason", participation.reason},
           {"examples", nullptr},
           {"bytes_up", participation.bytes_up},
           {"bytes_down", participation.bytes_down},
           {"seconds", participation.seconds},
           {"train_seconds", participation.train_seconds},
           {"metrics", api_metrics(participation.metrics)}};
  // 0 in a secure round, where only the sum is known.
  if (participation.outcome == Outcome::counted && participation.examples > 0)
    out["examples"] = participation.examples;
  return out;
}

std::string round_text(const RoundRecord& record) {
  const std::uint32_t counted = counted_clients(record);
  std::uint64_t bytes_up = 0, bytes_down = 0;
  for (const Participation& participation : record.participations) {
    bytes_up += participation.bytes_up;
    bytes_down += participation.bytes_down;
  }
  Json out{{"round", record.round.value},
           {"started_at", record.started_at},
           {"seconds", record.seconds},
           {"attempt", record.attempt},
           {"selected", record.participations.size()},
           {"counted", counted},
           {"lost", record.participations.size() - counted},
           {"examples", training_examples(record)},
           {"bytes_up", bytes_up},
           {"bytes_down", bytes_down},
           {"update_norm", record.update_norm},
           {"model", record.model.hex()},
           {"training", api_metrics(training_metrics(record))},
           {"held_out", held_out_of(record)},
           {"secure", secure_of(record)}};
  std::string text = text_of(out);
  text.pop_back();
  return text;
}

std::string complete_round(const std::string& round_text, const RoundChanges& changes) {
  return round_text + ",\"model_kept\":" + (changes.model_kept ? "true" : "false") + ",\"evaluation\":" +
         (changes.evaluation == nullptr ? "[]" : text_of(api_metrics(*changes.evaluation))) + "}";
}

std::string api_round(const RoundRecord& record, const Metrics* evaluation) {
  return complete_round(round_text(record), {record.model_kept, evaluation});
}

}  // namespace hansa::server
