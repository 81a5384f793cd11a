// Detects, from the events of the server's monitor, connections that failed before they were established, for the log.
#pragma once
#include <optional>
#include <string>
#include <unordered_map>

#include "common/error.h"
#include "protocols/transport/internal/monitor.h"

namespace hansa::transport {

// libzmq reports a failure without its connection; the disconnection that it reports next has the descriptor. With
// several I/O threads the event of another connection may come in between. The address is therefore used only in the
// log.
class ConnectionWatch {
 public:
  // The endpoint is the address on which the server listens.
  explicit ConnectionWatch(std::string endpoint) : endpoint_(std::move(endpoint)) {}
  // The error to log, if there is one. Keys that are not admitted are reported by the ZAP handler instead.
  [[nodiscard]] std::optional<Error> take(const SocketEvent& event);

 private:
  std::string endpoint_;
  std::unordered_map<int, std::string> addresses_;  // addresses of open connections, by descriptor
  std::optional<Error> failure_;  // a failure whose address is not known yet
};

}  // namespace hansa::transport
