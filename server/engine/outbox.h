// Where the engine's messages go: a ZeroMQ channel, or a simulated network.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "common/identifiers.h"
#include "protocols/transport/bulk.h"
#include "protocols/transport/server_channel.h"

namespace hansa::server {

class Outbox {
 public:
  virtual ~Outbox() = default;
  virtual transport::Sent send(PeerId peer, std::span<const std::byte> message,
                               const transport::Bulk& bulk) = 0;
  // Ends a connection, or all connections of a client. Nothing in a network that has none to end.
  virtual void disconnect(PeerId /*peer*/) {}
  virtual void disconnect_client(std::string_view /*client*/) {}
};

}  // namespace hansa::server
