// The HTTP API: everything below /api/v1 except the event stream. openapi.json describes it; docs/api.md explains it.
//
// Reads runs, the register of devices and the log, and carries out what the operator asks. It has no socket, so that tests
// call handle(). Called on one thread, that of the HTTP server's worker.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/utc.h"
#include "server/config/federation_config.h"
#include "server/http/message.h"

namespace hansa {
class LogHistory;  // common/log_history.h
}

namespace hansa::server {

class LiveBoard;  // server/monitor/live_board.h
class OperatorCommands;  // server/monitor/operator_commands.h

// Everything that is pointed to outlives the Api.
struct ApiParts {
  std::vector<std::filesystem::path> runs;  // folders of run folders
  // Of the federation whose devices are shown. Empty: there are no devices.
  std::optional<FederationConfig> config = {};
  // Of the aggregator in this process; null: there is none, and nothing can be done but reading.
  const LiveBoard* live = nullptr;
  OperatorCommands* commands = nullptr;
  const LogHistory* log = nullptr;  // null: there is no log
  std::string version, commit;  // of the program
  unsigned protocol = 0;
  std::function<UtcSeconds()> wall_clock = utc_seconds_now;
  // Called after the register of devices was changed by a request.
  std::function<void()> on_devices_changed = {};
};

class Api final : public http::Handler {
 public:
  static constexpr std::string_view base = "/api/v1";
  // "GET" and "/runs/{run}/rounds": what openapi.json describes, without the event stream.
  struct Route {
    std::string_view method;
    std::string_view path;
  };
  [[nodiscard]] static std::span<const Route> routes();
  // The text of openapi.json.
  [[nodiscard]] static std::string_view openapi();

  explicit Api(ApiParts parts);
  ~Api() override;

  // 404 for a path outside of `base`.
  [[nodiscard]] http::Response handle(const http::Request& request) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hansa::server
