// The client's channel: one DEALER socket with one outbound TCP connection and a pinned aggregator key.
//
// A channel is used by one thread; only wake() may be called from any thread.
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
  std::string address;  // "tcp://host:port"; a name is resolved again for every connection
  PublicKey aggregator;
  // "socks5://HOST:PORT" or "http://HOST:PORT" (CONNECT); the proxy resolves the aggregator's name. Empty: no proxy.
  std::string proxy;
  unsigned io_threads = 1;
  std::int64_t frame_bytes_max = 2 << 20;
  Duration heartbeat = std::chrono::seconds(5);  // without a frame for three heartbeats the connection ends
  Duration connect_max = std::chrono::seconds(10);  // TCP connect and CURVE handshake
};

// Checks whether ClientChannel::open accepts the address. Fails with `usage` unless it is tcp://HOST:PORT or
// tcp://[IPV6]:PORT with a port from 1 to 65535.
[[nodiscard]] Result<void> check_aggregator_address(const std::string& address);
// Checks whether ClientChannel::open accepts the proxy. Fails with `usage`.
[[nodiscard]] Result<void> check_proxy(const std::string& proxy);

struct LinkEvent {
  enum class Kind : std::uint8_t {
    connected,  // the CURVE handshake succeeded: messages can be sent
    disconnected,  // an established connection ended
    unreachable,  // no TCP connection: refused, no route, unknown name, timeout
    refused,  // the aggregator does not admit this client's key
    // The TCP connection is established but the aggregator ends the handshake: the pinned key is probably wrong. A
    // proxy whose aggregator is down, or an aggregator that stops during the handshake, looks the same.
    wrong_key,
    not_hansa,  // the peer does not speak ZeroMQ with CURVE
  };
  Kind kind = Kind::disconnected;
  Error error;  // except for connected; its location is the address
};

// A channel is one attempt to connect. After any event except connected, the owner closes the channel and opens another
// one after a backoff, so that queued messages never reach a later session.
class ClientChannel {
 public:
  struct Handlers {
    std::function<void(std::span<const std::byte> message, std::span<const std::byte> bulk)> on_message;
    std::function<void(const LinkEvent&)> on_link;
  };
  // Fails with `usage` if the address or the proxy is malformed.
  [[nodiscard]] static Result<std::unique_ptr<ClientChannel>> open(const ClientChannelConfig& config,
                                                                   const SecretKey& key);
  virtual ~ClientChannel() = default;
  // Returns false, and queues nothing, if the send queue is full or there is no connection.
  virtual bool send(std::span<const std::byte> message, const Bulk& bulk) = 0;
  virtual void poll(Duration timeout, const Handlers& handlers, std::size_t messages_max) = 0;
  virtual void wake() = 0;
};

}  // namespace hansa::transport
