#include "server/monitor/live_json.h"

#include <cmath>

#include <nlohmann/json.hpp>

namespace hansa::server {
namespace {

using Json = nlohmann::ordered_json;

// JSON has no NaN and no infinity.
Json number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Json(*value) : Json(nullptr);
}

}  // namespace

std::string json_of(const LiveState& s) {
  Json members = Json::array(), alarms = Json::array();
  for (const LiveMember& m : s.members)
    members.push_back({{"client", m.client},
                       {"state", m.state},
                       {"since_seconds", number(m.since_seconds)},
                       {"upload", number(m.upload)}});
  for (const LiveAlarm& a : s.alarms)
    alarms.push_back({{"level", a.level},
                      {"at", a.at},
                      {"text", a.text},
                      {"event", a.event},
                      {"count", a.count},
                      {"first_at", a.first_at}});
  const Json out{{"run", s.run},
                 {"at", s.at},
                 {"phase", s.phase},
                 {"phase_seconds", number(s.phase_seconds)},
                 {"round", s.round},
                 {"rounds", s.rounds ? Json(*s.rounds) : Json(nullptr)},
                 {"attempt", s.attempt},
                 {"connected", s.connected},
                 {"ready", s.ready},
                 {"needed", s.needed},
                 {"expected", s.expected},
                 {"starts_in_seconds", number(s.starts_in_seconds)},
                 {"waits", s.waits},
                 {"exchange", s.exchange},
                 {"retry", s.retry},
                 {"why_done", s.why_done},
                 {"members", std::move(members)},
                 {"missing", s.missing},
                 {"left_out", s.left_out},
                 {"evaluations_waiting", s.evaluations_waiting},
                 {"bytes_up", s.bytes_up},
                 {"bytes_down", s.bytes_down},
                 {"round_seconds_median", number(s.round_seconds_median)},
                 {"eta_seconds", number(s.eta_seconds)},
                 {"alarms", std::move(alarms)}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace hansa::server
