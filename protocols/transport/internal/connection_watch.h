// The server's log of connections that failed before they could speak, from its monitor's events.
#pragma once
#include <optional>
#include <string>
#include <unordered_map>

#include "common/error.h"
#include "protocols/transport/internal/monitor.h"

namespace hansa::transport {

// libzmq tells a failure without saying whose it is; the disconnection that it reports next carries
// the descriptor. With several I/O threads another's may come between, so an address is a hint for
// the log and decides nothing.
class ConnectionWatch {
 public:
  // endpoint is where the server listens.
  explicit ConnectionWatch(std::string endpoint) : endpoint_(std::move(endpoint)) {}
  // An error worth telling, or none. Keys that are not admitted are the ZAP handler's to tell.
  [[nodiscard]] std::optional<Error> take(const SocketEvent& event);

 private:
  std::string endpoint_;
  std::unordered_map<int, std::string> addresses_;  // of open connections, by descriptor
  std::optional<Error> failure_;  // waits for its address
};

}  // namespace hansa::transport
