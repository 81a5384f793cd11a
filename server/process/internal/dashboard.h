// The dashboard of the aggregator's process: the HTTP server with its pages, and the monitor that feeds it.
//
// Without it the aggregator works as well: what prevents it is one warning. Owned by the engine's thread; the server has
// its own two.
#pragma once
#include <atomic>
#include <memory>
#include <string>

#include "common/error.h"
#include "common/log_history.h"
#include "common/logging.h"
#include "server/config/dashboard_config.h"
#include "server/config/federation_config.h"
#include "server/http/server.h"
#include "server/monitor/api.h"
#include "server/monitor/live_board.h"
#include "server/monitor/monitor.h"
#include "server/monitor/monitor_pages.h"
#include "server/monitor/operator_commands.h"

namespace hansa::server::internal {

class Dashboard {
 public:
  // Opens the port, and keeps the last lines of the log from now on. Fails as http::Server::open() and read_or_make_token()
  // do.
  [[nodiscard]] static Result<std::unique_ptr<Dashboard>> open(const DashboardConfig& config,
                                                               const FederationConfig& federation,
                                                               const Logger& log);

  [[nodiscard]] Monitor& monitor() { return monitor_; }
  [[nodiscard]] OperatorCommands& commands() { return commands_; }
  ~Dashboard();
  Dashboard(const Dashboard&) = delete;
  Dashboard& operator=(const Dashboard&) = delete;

  // "http://127.0.0.1:7471/"
  [[nodiscard]] std::string address() const;
  // The same with the token, which the page takes from there. For a terminal only, never for a log.
  [[nodiscard]] std::string address_with_token() const { return address() + "#token=" + token_; }

 private:
  // On the thread that logs.
  void send_newest_line() const;
  Dashboard(const DashboardConfig& config, const FederationConfig& federation, std::string token);
  [[nodiscard]] HttpValues http_values() const;

  DashboardConfig config_;
  std::string token_;
  LiveBoard live_;
  ValuesBoard values_;
  OperatorCommands commands_;
  const std::shared_ptr<LogHistory> history_ = std::make_shared<LogHistory>(LogHistory::Limits{});
  Api api_;
  MonitorPages pages_;
  std::unique_ptr<http::Server> server_;
  std::atomic<const http::Server*> opened_ =
      nullptr;  // for the pages, which may be asked before open() returns
  Monitor monitor_;
};

}  // namespace hansa::server::internal
