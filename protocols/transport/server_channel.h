// The aggregator's end: one ROUTER socket, CURVE always on, every peer authenticated by ZAP.
//
// A message is one frame of protocols/messages, and optionally one frame of bulk bytes.
// One thread owns a channel; wake() may be called from any.
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
#include "protocols/transport/keys.h"

namespace hansa::transport {

// Decides who may connect. Called on the channel's ZAP thread, one call at a time.
class Admission {
 public:
  virtual ~Admission() = default;
  // The name under which the operator admitted this key; none: refused.
  [[nodiscard]] virtual std::optional<std::string> admit(const PublicKey& key) = 0;
};

struct ServerChannelConfig {
  std::string bind;  // "tcp://127.0.0.1:0" takes a free port
  unsigned io_threads = 2;
  std::int64_t frame_bytes_max = 2 << 20;  // a larger frame closes its connection
  int send_queue_max = 64;  // messages waiting for one peer
  Duration heartbeat = std::chrono::seconds(5);  // a peer without a frame for three of these is gone
  int connections_max = 20'000;  // open files are raised for as many, as far as the system allows
};

struct Incoming {
  PeerId peer;  // stable while the connection lives, if its client has at most 8
  std::string_view client;  // the ZAP User-Id: who speaks, whatever the message says
  std::span<const std::byte> message;
  std::span<const std::byte> bulk;  // empty if there was none
};

enum class Sent : std::uint8_t { queued, peer_gone, congested };

class ServerChannel {
 public:
  struct Handlers {
    std::function<void(const Incoming&)> on_message;
    // For the log, and rate limited: a connection that failed before it could speak (a key that is not
    // admitted, a peer without CURVE), or a client's message that was dropped for its shape.
    std::function<void(const Error&)> on_refused;
  };

  // Fails (network) naming the address and the hint when it cannot bind.
  [[nodiscard]] static Result<std::unique_ptr<ServerChannel>> open(const ServerChannelConfig& config,
                                                                   const SecretKey& key,
                                                                   Admission& admission);
  virtual ~ServerChannel() = default;
  [[nodiscard]] virtual std::string endpoint() const = 0;  // with the real port
  virtual Sent send(PeerId peer, std::span<const std::byte> message, const Bulk& bulk) = 0;
  // Waits at most timeout for messages, refusals, extra_descriptor (-1: none) or wake(), hands over
  // what is there (at most messages_max), and returns.
  virtual void poll(Duration timeout, const Handlers& handlers, int extra_descriptor,
                    std::size_t messages_max) = 0;
  virtual void wake() = 0;
  [[nodiscard]] virtual std::uint64_t bytes_received() const = 0;  // of frames, before encryption
  [[nodiscard]] virtual std::uint64_t bytes_sent() const = 0;
};

}  // namespace hansa::transport
