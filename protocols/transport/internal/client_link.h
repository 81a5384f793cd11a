// One attempt to reach the aggregator: socket events and time in, what to tell the owner out.
//
// connecting -> handshaking -> connected -> over; each of the first two -> over.
// Observed with libzmq 4.3.4: a refused connection is CLOSED and CONNECT_RETRIED; an unknown name only
// CONNECT_RETRIED; a key not admitted HANDSHAKE_FAILED_AUTH; a wrong pinned key makes the aggregator
// hang up: HANDSHAKE_FAILED_NO_DETAIL (EPIPE or ECONNRESET); HTTP is DISCONNECTED without any of these.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "common/time.h"
#include "protocols/transport/client_channel.h"
#include "protocols/transport/internal/monitor.h"

namespace hansa::transport {

class ClientLink {
 public:
  enum class State : std::uint8_t { connecting, handshaking, connected, over };
  struct Names {
    std::string address;
    std::string aggregator_key;
    std::string own_key;
  };

  ClientLink(Names names, Instant deadline) : names_(std::move(names)), deadline_(deadline) {}

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] Instant deadline() const { return deadline_; }  // for connecting and handshaking
  [[nodiscard]] std::optional<LinkEvent> take(const SocketEvent& event);
  [[nodiscard]] std::optional<LinkEvent> tick(Instant now);

 private:
  [[nodiscard]] LinkEvent end(LinkEvent::Kind kind, ErrorCode code, std::string what, std::string hint);
  [[nodiscard]] LinkEvent unreachable(const char* what);
  [[nodiscard]] LinkEvent not_hansa(const char* what);
  [[nodiscard]] LinkEvent wrong_key();

  Names names_;
  Instant deadline_;
  State state_ = State::connecting;
};

}  // namespace hansa::transport
