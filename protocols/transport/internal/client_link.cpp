#include "protocols/transport/internal/client_link.h"

#include <cerrno>
#include <fmt/format.h>
#include <zmq.h>

namespace hansa::transport {

LinkEvent ClientLink::end(LinkEvent::Kind kind, ErrorCode code, std::string what, std::string hint) {
  state_ = State::over;
  return {kind, Error{code, names_.address, std::move(what), std::move(hint)}};
}

LinkEvent ClientLink::unreachable(const char* what) {
  return end(LinkEvent::Kind::unreachable, ErrorCode::network, what,
             "check the address, that hansa-aggregator is running there, and the firewalls in between");
}

LinkEvent ClientLink::not_hansa(const char* what) {
  return end(LinkEvent::Kind::not_hansa, ErrorCode::network, what,
             "check host and port of the aggregator's address");
}

LinkEvent ClientLink::wrong_key() {
  return end(
      LinkEvent::Kind::wrong_key, ErrorCode::refused,
      fmt::format("ended the handshake: {} is probably not its key", names_.aggregator_key),
      "if the operator has changed it, accept the operator's file: hansa-client accept client.toml FILE; "
      "otherwise set aggregator.public_key to the key that the aggregator prints when it starts");
}

std::optional<LinkEvent> ClientLink::take(const SocketEvent& event) {
  if (state_ == State::over) return std::nullopt;
  const bool handshaking = state_ == State::handshaking;
  switch (event.kind) {
    case ZMQ_EVENT_CONNECT_DELAYED:
    case ZMQ_EVENT_CLOSED: has_tried_ = true; return std::nullopt;
    case ZMQ_EVENT_CONNECTED:
      has_tried_ = true;
      state_ = State::handshaking;
      return std::nullopt;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
      state_ = State::connected;
      return LinkEvent{LinkEvent::Kind::connected, {}};
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
      if (event.value == 500) return unreachable("limits the connections of this device's key");
      return end(LinkEvent::Kind::refused, ErrorCode::refused,
                 fmt::format("does not admit this device's key {}", names_.own_key),
                 "admit it at the aggregator: copy the device's public key to its admitted clients folder as "
                 "NAME.pub");
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
      if (event.value == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC) return wrong_key();
      if (event.value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
        return not_hansa("speaks ZeroMQ without CURVE, so it is not an aggregator");
      return not_hansa("does not speak Hansa's protocol");
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      if (event.value == EAGAIN) return not_hansa("accepts connections but sends nothing");
      return wrong_key();
    case ZMQ_EVENT_CONNECT_RETRIED:
      if (state_ != State::connecting) return std::nullopt;
      if (!has_tried_)
        return end(LinkEvent::Kind::unreachable, ErrorCode::network, "has a host name that is not known here",
                   "check the host name's spelling, and this device's name server; an IP address works too");
      return unreachable("cannot be reached: nothing listens on this port, or there is no route to it");
    case ZMQ_EVENT_DISCONNECTED:
      if (handshaking) return not_hansa("does not speak Hansa's protocol");
      return end(LinkEvent::Kind::disconnected, ErrorCode::network, "the connection ended", "");
    default: return std::nullopt;
  }
}

std::optional<LinkEvent> ClientLink::tick(Instant now) {
  if (now < deadline_) return std::nullopt;
  if (state_ == State::connecting) return unreachable("did not answer in time");
  if (state_ == State::handshaking) return not_hansa("accepts connections but sends nothing");
  return std::nullopt;
}

}  // namespace hansa::transport
