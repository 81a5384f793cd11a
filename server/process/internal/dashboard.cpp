#include "server/process/internal/dashboard.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "common/version/version.h"
#include "protocols/messages/type.h"
#include "server/http/token_file.h"
#include "server/monitor/log_json.h"
#include "server/monitor/run_json.h"

namespace hansa::server::internal {
namespace {

MonitorValues build_values(const std::string& federation) {
  MonitorValues out;
  out.version = version();
  out.commit = commit();
  out.federation = federation;
  out.protocol = messages::protocol_version;
  return out;
}

}  // namespace

Dashboard::Dashboard(const DashboardConfig& config, const FederationConfig& federation, std::string token)
    : config_(config),
      token_(std::move(token)),
      api_(ApiParts{
          .runs = {federation.runs},
          .config = federation,
          .live = &live_,
          .commands = &commands_,
          .log = history_.get(),
          .version = std::string(version()),
          .commit = std::string(commit()),
          .protocol = messages::protocol_version,
          .on_devices_changed = [this] { server_->publish("devices", [] { return std::string("{}"); }); }}),
      pages_({live_, values_, [this] { return http_values(); }, &api_}),
      monitor_(build_values(federation.name),
               {live_, values_,
                [this](std::string_view event, std::function<std::string()> json) {
                  server_->publish(event, std::move(json));
                },
                [](const RoundRecord& record) { return api_round(record); }}) {}

Result<std::unique_ptr<Dashboard>> Dashboard::open(const DashboardConfig& config,
                                                   const FederationConfig& federation, const Logger& log) {
  HANSA_TRY(auto token, http::read_or_make_token(config.token_file));
  http::ServerConfig server;
  server.listen = config.listen;
  server.token = token;
  server.token_for_reading = config.needs_token_for_reading();
  server.names = config.names;
  if (!config.tls_key.empty()) server.tls = http::TlsFiles{config.tls_certificate, config.tls_key};
  server.behind_proxy = config.behind_proxy;
  server.limits.streams_max = config.streams_max;
  server.limits.connections_max = config.streams_max + 256;
  server.log = [log = log.with_component("dashboard")](const std::string& line) { log.warning(line); };
  auto out = std::unique_ptr<Dashboard>(new Dashboard(config, federation, std::move(token)));
  HANSA_TRY(out->server_, http::Server::open(std::move(server), out->pages_));
  out->opened_ = out->server_.get();
  out->history_->on_added([dashboard = out.get()] { dashboard->send_newest_line(); });
  log.attach(out->history_);
  return out;
}

// The log keeps the history, and may be written to later.
Dashboard::~Dashboard() { history_->on_added({}); }

void Dashboard::send_newest_line() const {
  const auto newest = history_->before(history_->newest() + 1, 1);
  if (newest.empty() || newest.front().level < LogLevel::info) return;
  server_->publish("log", [record = newest.front()] { return text_of(api_log_record(record)); });
}

std::string Dashboard::address() const {
  return (config_.tls_key.empty() ? "http://" : "https://") + server_->address() + "/";
}

HttpValues Dashboard::http_values() const {
  HttpValues out;
  const http::Server* const server = opened_;
  if (server == nullptr) return out;
  const http::ServerCounts counts = server->counts();
  for (unsigned status = 0; status < counts.responses.size(); ++status)
    if (counts.responses[status] > 0) out.requests.emplace_back(status, counts.responses[status]);
  out.event_streams = counts.streams;
  return out;
}

}  // namespace hansa::server::internal
