// The client's end: one DEALER socket, the aggregator's key pinned, one outbound TCP connection.
// One thread owns a channel; wake() may be called from any.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "common/error.h"
#include "common/time.h"
#include "protocols/transport/bulk.h"
#include "protocols/transport/keys.h"

namespace hansa::transport {

struct ClientChannelConfig {
  std::string address;  // "tcp://host:port"; a name is looked up anew at every connect
  PublicKey aggregator;
  std::string
      proxy;  // "socks5://HOST:PORT" or "http://HOST:PORT" (CONNECT), which looks the aggregator's name up; empty: none
  unsigned io_threads = 1;
  std::int64_t frame_bytes_max = 2 << 20;
  Duration heartbeat = std::chrono::seconds(5);  // no frame for three of these: disconnected
  Duration connect_max = std::chrono::seconds(10);  // TCP connect and CURVE handshake
};

// Whether ClientChannel::open would take it. Fails (usage).
[[nodiscard]] Result<void> check_proxy(const std::string& proxy);

struct LinkEvent {
  enum class Kind : std::uint8_t {
    connected,  // the CURVE handshake succeeded: messages flow
    disconnected,  // after connected
    unreachable,  // no TCP connection: refused, no route, no such name, timed out
    refused,  // the aggregator answered and does not admit this client's key
    wrong_key,  // TCP works, the handshake is cut: the pinned aggregator key is probably not its key
    // (a proxy whose aggregator is down, or its end just then, looks the same)
    not_hansa,  // something else than ZeroMQ with CURVE answers there
  };
  Kind kind = Kind::disconnected;
  Error error;  // for all but connected: address, what, hint
};

// A connection is one attempt: after any event but connected, the owner closes it and opens another
// after its own backoff (so queued messages never reach a later session).
class ClientChannel {
 public:
  struct Handlers {
    std::function<void(std::span<const std::byte> message, std::span<const std::byte> bulk)> on_message;
    std::function<void(const LinkEvent&)> on_link;
  };
  // Fails (usage) on a malformed address or proxy.
  [[nodiscard]] static Result<std::unique_ptr<ClientChannel>> open(const ClientChannelConfig& config,
                                                                   const SecretKey& key);
  virtual ~ClientChannel() = default;
  // False when the send queue is full or there is no connection; nothing is queued then.
  virtual bool send(std::span<const std::byte> message, const Bulk& bulk) = 0;
  virtual void poll(Duration timeout, const Handlers& handlers, std::size_t messages_max) = 0;
  virtual void wake() = 0;
};

}  // namespace hansa::transport
