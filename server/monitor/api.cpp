#include "server/monitor/api.h"

#include <algorithm>
#include <array>
#include <limits>

#include <nlohmann/json.hpp>

#include "common/log_history.h"
#include "server/monitor/internal/device_routes.h"
#include "server/monitor/internal/openapi_text.h"
#include "server/monitor/internal/request_reader.h"
#include "server/monitor/internal/run_routes.h"
#include "server/monitor/live_board.h"
#include "server/monitor/live_json.h"
#include "server/monitor/log_json.h"
#include "server/monitor/operator_commands.h"
#include "server/monitor/run_json.h"

namespace hansa::server {
namespace {

using internal::answer_to;
using internal::not_found;
using Json = nlohmann::ordered_json;

constexpr std::array all_routes{
    Api::Route{"GET", "/federation"},
    Api::Route{"GET", "/runs"},
    Api::Route{"GET", "/runs/{run}"},
    Api::Route{"GET", "/runs/{run}/rounds"},
    Api::Route{"GET", "/runs/{run}/rounds/{round}"},
    Api::Route{"GET", "/runs/{run}/rounds/{round}/model"},
    Api::Route{"GET", "/runs/{run}/model"},
    Api::Route{"GET", "/runs/{run}/configuration"},
    Api::Route{"GET", "/runs/{run}/privacy"},
    Api::Route{"GET", "/devices"},
    Api::Route{"GET", "/devices/{name}"},
    Api::Route{"GET", "/live"},
    Api::Route{"GET", "/log"},
    Api::Route{"GET", "/openapi.json"},
    Api::Route{"POST", "/actions/stop"},
    Api::Route{"POST", "/devices/{name}/quarantine"},
    Api::Route{"POST", "/devices/{name}/release"},
    Api::Route{"POST", "/devices/{name}/revoke"},
    Api::Route{"POST", "/invitations"},
};

using Segments = std::vector<std::string>;

Segments split(std::string_view path) {
  Segments out;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) out.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return out;
}

http::Response ok(std::string body) {
  http::Response out;
  out.body = std::move(body);
  out.body += '\n';
  return out;
}
http::Response answer(Result<std::string> body) {
  return body ? ok(std::move(*body)) : answer_to(body.error());
}

http::Response wrong_method(const char* allowed) {
  http::Response out = http::error_response(405, "method", "this path does not have this method");
  out.headers.emplace_back("Allow", allowed);
  return out;
}

// A request of the operator that cannot be carried out as things are.
http::Response conflict(const Error& error) {
  return http::error_response(error.code == ErrorCode::usage ? 409 : 500, name(error.code),
                              error.location.empty() ? error.what : error.location + " " + error.what,
                              error.hint);
}

http::Response not_live() {
  return http::error_response(409, "not_live", "no aggregator runs in this process",
                              "open the dashboard of the aggregator");
}

}  // namespace

struct Api::State {
  explicit State(ApiParts given) : parts(std::move(given)), runs(parts.runs) {
    if (!parts.config) return;
    if (auto made = internal::DeviceRoutes::create(*parts.config)) devices.emplace(std::move(*made));
  }

  [[nodiscard]] std::shared_ptr<const LiveState> live_state() const {
    return parts.live != nullptr ? parts.live->latest() : nullptr;
  }
  [[nodiscard]] std::optional<internal::LiveRun> live_run() const {
    const auto live = live_state();
    if (!live || !parts.config) return std::nullopt;
    return internal::LiveRun{live->run, &*parts.config};
  }
  [[nodiscard]] bool has_devices() const { return devices && devices->has_register(); }

  http::Response get(const http::Request& request, const Segments& path);
  http::Response post(const http::Request& request, const Segments& path);
  http::Response federation(const http::Request& request);
  http::Response log(const http::Request& request) const;
  http::Response device(const std::string& name);
  http::Response act(const http::Request& request, const std::string& name, const std::string& verb);
  http::Response stop(const http::Request& request);
  http::Response invite(const http::Request& request);
  void changed_devices() const {
    if (parts.on_devices_changed) parts.on_devices_changed();
  }

  ApiParts parts;
  internal::RunRoutes runs;
  std::optional<internal::DeviceRoutes> devices;  // refers to parts.config
};

std::span<const Api::Route> Api::routes() { return all_routes; }
std::string_view Api::openapi() { return internal::openapi_text; }

Api::Api(ApiParts parts) : state_(std::make_unique<State>(std::move(parts))) {}
Api::~Api() = default;

http::Response Api::handle(const http::Request& request) {
  const std::string_view path = request.path;
  if (!path.starts_with(base) || (path.size() > base.size() && path[base.size()] != '/'))
    return not_found("there is no such path");
  const Segments segments = split(path.substr(base.size()));
  http::Response out = request.method == "GET"    ? state_->get(request, segments)
                       : request.method == "POST" ? state_->post(request, segments)
                                                  : wrong_method("GET, POST");
  state_->runs.tidy();
  return out;
}

http::Response Api::State::get(const http::Request& request, const Segments& path) {
  const std::string what = path.empty() ? "" : path[0];
  if (what == "runs") {
    if (path.size() == 1) return runs.list(request, live_run());
    if (auto found = runs.handle(request, {path.begin() + 1, path.end()}, live_run()))
      return std::move(*found);
    return not_found("there is no such path");
  }
  if (what == "log" && path.size() == 1) return log(request);
  if (auto checked = internal::check_parameters(request, {}); !checked) return answer_to(checked.error());
  if (path.size() == 2 && what == "devices") return device(path[1]);
  if ((path.size() == 3 && what == "devices") || (path.size() == 2 && what == "actions") ||
      what == "invitations")
    return wrong_method("POST");
  if (path.size() != 1) return not_found("there is no such path");
  if (what == "federation") return federation(request);
  if (what == "openapi.json") return ok(std::string(openapi()));
  if (what == "live") {
    const auto live = live_state();
    if (!live) return http::error_response(404, "not_live", "no aggregator runs in this process");
    return ok(json_of(*live));
  }
  if (what == "devices") {
    if (!has_devices()) return http::error_response(404, "no_register", "there is no register of devices");
    return answer(devices->list(parts.wall_clock(), live_state().get()));
  }
  return not_found("there is no such path");
}

http::Response Api::State::federation(const http::Request& request) {
  const auto live = live_state();
  std::string name;
  if (parts.config) {
    name = parts.config->name;
  } else {
    auto found = runs.federation();
    if (!found) return answer_to(found.error());
    name = std::move(*found);
  }
  Json actions = Json::array();
  if (parts.commands != nullptr) actions.push_back("stop");
  if (parts.live != nullptr && devices) actions.push_back("devices");
  if (parts.live != nullptr && devices && devices->has_enrolment()) actions.push_back("invite");
  Json out{{"name", name},
           {"version", parts.version},
           {"commit", parts.commit},
           {"protocol", parts.protocol},
           {"live", nullptr},
           {"may_act", request.is_authorised && parts.live != nullptr},
           {"actions", std::move(actions)},
           {"devices", has_devices()}};
  if (live) out["live"] = {{"run", live->run}};
  return ok(text_of(out));
}

http::Response Api::State::log(const http::Request& request) const {
  constexpr std::uint64_t limit_max = 500, limit_default = 100;
  constexpr std::uint64_t sequence_max = std::numeric_limits<std::int64_t>::max();
  const auto read = [&]() -> Result<std::string> {
    HANSA_TRY_VOID(internal::check_parameters(request, {"after", "before", "limit"}));
    HANSA_TRY(const auto after, internal::number_parameter(request, "after", {0, sequence_max}));
    HANSA_TRY(const auto before, internal::number_parameter(request, "before", {0, sequence_max}));
    HANSA_TRY(const auto limit, internal::number_parameter(request, "limit", {1, limit_max}));
    if (after && before) return fail(ErrorCode::usage, "parameter \"after\"", "does not go with \"before\"");
    const auto most = static_cast<std::size_t>(limit.value_or(limit_default));
    const std::uint64_t newest = parts.log->newest();
    const auto records =
        after ? parts.log->after(*after, most) : parts.log->before(before ? *before : newest + 1, most);
    Json list = Json::array();
    for (const LogRecord& record : records) list.push_back(api_log_record(record));
    return text_of(Json{{"records", std::move(list)}, {"newest", newest}});
  };
  if (parts.log == nullptr)
    return http::error_response(404, "no_log", "this server has no log of an aggregator");
  return answer(read());
}

http::Response Api::State::device(const std::string& name) {
  constexpr std::size_t history_max = 200;
  if (!has_devices()) return http::error_response(404, "no_register", "there is no register of devices");
  auto found = devices->find(name, parts.wall_clock(), live_state().get());
  if (!found) return answer_to(found.error());
  if (!*found) return not_found("there is no device of this name");
  auto history = runs.history_of(name, history_max);
  if (!history) return answer_to(history.error());
  return ok(**found + ",\"history\":" + *history + "}");
}

http::Response Api::State::post(const http::Request& request, const Segments& path) {
  const bool is_act = path.size() == 3 && path[0] == "devices" &&
                      (path[2] == "quarantine" || path[2] == "release" || path[2] == "revoke");
  const bool is_stop = path.size() == 2 && path[0] == "actions" && path[1] == "stop";
  const bool is_invitation = path.size() == 1 && path[0] == "invitations";
  if (!is_act && !is_stop && !is_invitation) return not_found("there is no such action");
  if (!request.is_authorised)
    return http::error_response(401, "token", "this needs the operator's token",
                                "the aggregator prints the address of the page with the token");
  if (auto checked = internal::check_parameters(request, {}); !checked) return answer_to(checked.error());
  if (parts.live == nullptr || parts.commands == nullptr) return not_live();
  if (!devices) return http::error_response(409, "no_register", "there is no register of devices");
  if (is_stop) return stop(request);
  if (is_invitation) return invite(request);
  return act(request, path[1], path[2]);
}

http::Response Api::State::stop(const http::Request& request) {
  const auto body = internal::read_object(request.body, {"after_round"});
  if (!body) return answer_to(body.error());
  const auto after_round = body->find("after_round");
  if (after_round == body->end() || *after_round != true)
    return http::error_response(400, "usage", "the body is not {\"after_round\": true}");
  const auto live = live_state();
  // Recorded first: what is not in the audit log is not done.
  if (auto recorded = devices->record("run.stop_asked", live ? live->run : "", parts.wall_clock()); !recorded)
    return answer_to(recorded.error());
  parts.commands->stop_after_round();
  http::Response out = ok("{}");
  out.status = 202;
  return out;
}

http::Response Api::State::act(const http::Request& request, const std::string& name,
                               const std::string& verb) {
  constexpr std::size_t reason_bytes_max = 200;
  using Act = internal::DeviceRoutes::Act;
  const auto body = internal::read_object(request.body, {"reason"});
  if (!body) return answer_to(body.error());
  const auto reason = internal::text_value(*body, "reason", reason_bytes_max);
  if (!reason) return answer_to(reason.error());
  const UtcSeconds now = parts.wall_clock();
  const auto known = devices->find(name, now, nullptr);
  if (!known) return answer_to(known.error());
  if (!*known) return not_found("there is no device of this name");
  const Act act = verb == "quarantine" ? Act::quarantine : verb == "release" ? Act::release : Act::revoke;
  if (auto done = devices->act(act, name, reason->value_or(""), now); !done) return conflict(done.error());
  changed_devices();
  auto changed = devices->find(name, now, live_state().get());
  if (!changed || !*changed) return http::error_response(500, "storage", "the register cannot be read");
  return ok(**changed + "}");
}

http::Response Api::State::invite(const http::Request& request) {
  constexpr std::uint64_t uses_max = 10'000, seconds_least = 60, seconds_max = 10ULL * 366 * 86'400;
  constexpr std::size_t label_bytes_max = 48;
  const auto body = internal::read_object(request.body, {"uses", "expires_seconds", "label"});
  if (!body) return answer_to(body.error());
  const auto uses = internal::number_value(*body, "uses", {1, uses_max});
  if (!uses) return answer_to(uses.error());
  const auto seconds = internal::number_value(*body, "expires_seconds", {seconds_least, seconds_max});
  if (!seconds) return answer_to(seconds.error());
  const auto label = internal::text_value(*body, "label", label_bytes_max);
  if (!label) return answer_to(label.error());
  const auto invited =
      devices->invite(static_cast<std::uint32_t>(*uses), *seconds, label->value_or(""), parts.wall_clock());
  if (!invited) return conflict(invited.error());
  http::Response out = ok(text_of(Json{{"token", invited->token},
                                       {"expires", rfc3339_text(invited->expires)},
                                       {"command", "hansa-client join " + invited->token}}));
  // It is a secret.
  out.headers.emplace_back("Cache-Control", "no-store");
  return out;
}

}  // namespace hansa::server
