// The aggregator's channel: one ROUTER socket. Every connection is encrypted with CURVE, every peer authenticated with
// ZAP.
//
// A message has one frame from protocols/messages and optionally one frame of bulk bytes. A channel is used by one
// thread; only wake() may be called from any thread.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "common/error.h"
#include "common/identifiers.h"
#include "common/time.h"
#include "protocols/transport/bulk.h"
#include "protocols/transport/connection_limits.h"
#include "protocols/transport/keys.h"

namespace hansa::transport {

// Decides which keys may connect. Called on the channel's ZAP thread, one call at a time.
class Admission {
 public:
  virtual ~Admission() = default;
  // The name under which the operator admitted this key; empty: refused.
  [[nodiscard]] virtual std::optional<std::string> admit(const PublicKey& key) = 0;
};

// Checks the form tcp://HOST:PORT. HOST may be * (every interface) and the port 0 (a free port); the host is checked by
// libzmq. Fails with `usage`.
[[nodiscard]] Result<void> check_bind_address(const std::string& address);

struct ServerChannelConfig {
  std::string bind;  // port 0 means a free port: "tcp://127.0.0.1:0"
  unsigned io_threads = 2;
  std::int64_t frame_bytes_max = 2 << 20;  // a larger frame closes its connection
  int send_queue_max = 64;  // messages waiting for one peer
  // TCP asks a silent peer after one heartbeat, and ends the connection after two more without an answer.
  Duration heartbeat = std::chrono::seconds(5);
  // Data that the peer's kernel does not acknowledge for this time end the connection.
  Duration unacknowledged_max = std::chrono::seconds(30);
  ConnectionLimits limits{};
};

struct Incoming {
  PeerId peer;  // stable during the connection
  std::string_view client;  // the ZAP User-Id: the authenticated name
  std::span<const std::byte> message;
  std::span<const std::byte> bulk;  // empty if there was none
};

enum class Sent : std::uint8_t { queued, peer_gone, congested };

class ServerChannel {
 public:
  struct Handlers {
    std::function<void(const Incoming&)> on_message;
    // For the log, and rate-limited with a count of what was left out: a connection that failed before it was
    // established (a key that is not admitted, a peer without CURVE) or that was closed (connection_limits.h). network: it
    // was left during the handshake, as a test of the port does.
    std::function<void(const Error&)> on_refused;
  };

  // Fails with `network`, naming the address, if the socket cannot be bound.
  [[nodiscard]] static Result<std::unique_ptr<ServerChannel>> open(const ServerChannelConfig& config,
                                                                   const SecretKey& key,
                                                                   Admission& admission);
  virtual ~ServerChannel() = default;
  [[nodiscard]] virtual std::string endpoint() const = 0;  // with the actual port
  virtual Sent send(PeerId peer, std::span<const std::byte> message, const Bulk& bulk) = 0;
  // Waits at most `timeout` for messages, refusals, `extra_descriptor` (-1: none) or wake(). Then calls the handlers
  // for what has arrived, for at most messages_max messages, and returns.
  virtual void poll(Duration timeout, const Handlers& handlers, int extra_descriptor,
                    std::size_t messages_max) = 0;
  virtual void wake() = 0;
  // Ends a peer's connection, or all connections of a client. What they have sent may still be handed over.
  virtual void disconnect(PeerId peer) = 0;
  virtual void disconnect_client(std::string_view client) = 0;
  [[nodiscard]] virtual std::size_t connections() const = 0;  // open now
  [[nodiscard]] virtual std::uint64_t bytes_received() const = 0;  // bytes of frames, without encryption
  [[nodiscard]] virtual std::uint64_t bytes_sent() const = 0;
};

}  // namespace hansa::transport
