#include "server/monitor/monitor_pages.h"

#include <string>

#include <fmt/format.h>

namespace hansa::server {
namespace {

http::Response text_response(unsigned status, std::string text,
                             std::string type = "text/plain; charset=utf-8") {
  http::Response out;
  out.status = status;
  out.content_type = std::move(type);
  out.body = std::move(text);
  return out;
}

}  // namespace

std::string why_not_ready(const LiveState* state) {
  if (state == nullptr) return "the run has not begun";
  if (state->phase != "gathering" || !state->why_done.empty() || state->ready >= state->needed) return {};
  return fmt::format("{} of {} clients that a round needs are ready, {} connected", state->ready,
                     state->needed, state->connected);
}

http::Response MonitorPages::metrics() const {
  const auto values = parts_.values.latest();
  const auto http = parts_.http ? parts_.http() : HttpValues{};
  return text_response(200, prometheus_text(values ? *values : MonitorValues{}, http, process_usage()),
                       "text/plain; version=0.0.4; charset=utf-8");
}

http::Response MonitorPages::readiness() const {
  const std::string why = why_not_ready(parts_.live.latest().get());
  return why.empty() ? text_response(200, "ok\n") : text_response(503, why + "\n");
}

http::Response MonitorPages::handle(const http::Request& request) {
  if (request.method == "GET") {
    if (request.path == "/healthz") return text_response(200, "ok\n");
    if (request.path == "/readyz") return readiness();
    if (request.path == "/metrics") return metrics();
  }
  if (parts_.next != nullptr) return parts_.next->handle(request);
  return http::error_response(404, "not_found", "there is no such page");
}

}  // namespace hansa::server
