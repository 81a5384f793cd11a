// The pages for monitoring programs: GET /metrics, /healthz and /readyz. Everything else goes to the next handler.
#pragma once
#include <functional>

#include "server/http/message.h"
#include "server/monitor/live_board.h"
#include "server/monitor/monitor.h"
#include "server/monitor/prometheus.h"

namespace hansa::server {

// All references outlive it. One thread: the server's worker.
class MonitorPages final : public http::Handler {
 public:
  struct Parts {
    const LiveBoard& live;
    const ValuesBoard& values;
    std::function<HttpValues()> http;  // thread-safe
    http::Handler* next = nullptr;  // null: everything else is not found
  };
  explicit MonitorPages(Parts parts) : parts_(std::move(parts)) {}
  [[nodiscard]] http::Response handle(const http::Request& request) override;

 private:
  [[nodiscard]] http::Response metrics() const;
  [[nodiscard]] http::Response readiness() const;

  Parts parts_;
};

// Why no round can start now; empty: one can, or no further one is wanted. state: null before the run began.
[[nodiscard]] std::string why_not_ready(const LiveState* state);

}  // namespace hansa::server
