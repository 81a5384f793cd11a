// Messages of an engine through the aggregator's socket.
#pragma once
#include <span>
#include <string_view>

#include "protocols/transport/server_channel.h"
#include "server/engine/outbox.h"

namespace hansa::server::internal {

class ChannelOutbox final : public Outbox {
 public:
  explicit ChannelOutbox(transport::ServerChannel& channel) : channel_(channel) {}
  transport::Sent send(PeerId peer, std::span<const std::byte> message,
                       const transport::Bulk& bulk) override {
    return channel_.send(peer, message, bulk);
  }
  void disconnect(PeerId peer) override { channel_.disconnect(peer); }
  void disconnect_client(std::string_view client) override { channel_.disconnect_client(client); }

 private:
  transport::ServerChannel& channel_;
};

}  // namespace hansa::server::internal
