// A state machine for one attempt to reach the aggregator: socket events and time are its input, link events its
// output.
//
// connecting -> handshaking -> connected -> over; the first two may also go to over.
//
// Events of libzmq 4.3.4: a refused connection gives CLOSED and CONNECT_RETRIED; an unknown host name gives only
// CONNECT_RETRIED; a key that is not admitted gives HANDSHAKE_FAILED_AUTH. With a wrong pinned key the aggregator
// closes the connection: HANDSHAKE_FAILED_NO_DETAIL (EPIPE or ECONNRESET). An HTTP server gives only DISCONNECTED.
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
  // After `unreachable`: no address was found for the host name, in the IP version of this attempt.
  [[nodiscard]] bool host_is_unknown() const { return state_ == State::over && !has_tried_; }

 private:
  [[nodiscard]] LinkEvent end(LinkEvent::Kind kind, ErrorCode code, std::string what, std::string hint);
  [[nodiscard]] LinkEvent unreachable(const char* what);
  [[nodiscard]] LinkEvent not_hansa(const char* what);
  [[nodiscard]] LinkEvent wrong_key();

  Names names_;
  Instant deadline_;
  State state_ = State::connecting;
  bool has_tried_ = false;  // there was an address to connect to
};

}  // namespace hansa::transport
