#include "protocols/transport/internal/connection_watch.h"

#include <cstring>
#include <fmt/format.h>
#include <zmq.h>

#include "protocols/transport/internal/connection_socket.h"

namespace hansa::transport {
namespace {

Error protocol_failure(std::uint32_t reason) {
  if (reason == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
    return {ErrorCode::protocol, "", "a ZeroMQ peer without CURVE tried to connect",
            "connect with hansa-client, which encrypts every connection"};
  if (reason == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC)
    return {ErrorCode::protocol, "", "a client with another aggregator's key pinned tried to connect",
            "if this aggregator's key was changed, give the device the federation's statements: hansa-client "
            "accept; otherwise set aggregator.public_key in its client.toml to this aggregator's public key"};
  return {ErrorCode::protocol, "", fmt::format("the handshake failed (ZMTP error {:#x})", reason), ""};
}

Error silent_failure(std::uint32_t error) {
  if (error == EAGAIN)
    return {ErrorCode::protocol, "", "a peer connected and did not finish the handshake", ""};
  // Nothing that it sent is wrong: it may have tested whether the port is open.
  return {ErrorCode::network, "",
          fmt::format("the peer left during the handshake ({})", std::strerror(static_cast<int>(error))), ""};
}

}  // namespace

std::optional<Error> ConnectionWatch::take(const SocketEvent& event) {
  const int value = static_cast<int>(event.value);
  switch (event.kind) {
    case ZMQ_EVENT_ACCEPTED: addresses_.insert_or_assign(value, peer_address(value)); return std::nullopt;
    case ZMQ_EVENT_ACCEPT_FAILED:
      return Error{ErrorCode::resource, endpoint_,
                   fmt::format("a connection could not be accepted ({})", std::strerror(value)),
                   "raise the limit of open files (ulimit -n, LimitNOFILE=)"};
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: failure_ = protocol_failure(event.value); return std::nullopt;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: failure_ = silent_failure(event.value); return std::nullopt;
    case ZMQ_EVENT_DISCONNECTED: {
      const auto address = addresses_.find(value);
      if (failure_) failure_->location = endpoint_;
      if (address != addresses_.end()) {
        if (failure_ && !address->second.empty()) failure_->location = address->second;
        addresses_.erase(address);
      }
      return std::exchange(failure_, std::nullopt);
    }
    default: return std::nullopt;
  }
}

}  // namespace hansa::transport
