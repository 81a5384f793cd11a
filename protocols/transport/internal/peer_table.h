// Maps a PeerId to a connection: the ROUTER's routing id together with the authenticated client.
//
// ZeroMQ does not report the end of a connection. So an entry is removed when a send fails (forget), when its routing
// id is used by another client, or when its client has peers_per_client_max newer entries.
#pragma once
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/identifiers.h"

namespace hansa::transport {

class PeerTable {
 public:
  static constexpr std::size_t peers_per_client_max = 8;

  // The ROUTER generates a routing id (a zero byte and four others) unless the peer sets its own. Peers with their own
  // are refused: with an old routing id of another client, a peer would receive messages for that client.
  [[nodiscard]] static bool made_by_router(std::string_view routing_id);

  // Returns the peer with this routing id and client; adds it if it is new.
  // descriptor: of the connection.
  PeerId learn(std::string_view routing_id, std::string_view client, int descriptor);
  // Empty if the peer is not in the table any more.
  [[nodiscard]] std::optional<std::string_view> routing_id(PeerId peer) const;
  [[nodiscard]] int descriptor(PeerId peer) const;  // -1: the peer is not in the table any more
  void forget(PeerId peer);
  [[nodiscard]] std::size_t size() const { return peers_.size(); }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  template <class Value>
  using ByText = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;
  struct Peer {
    std::string routing_id;
    std::string client;
    int descriptor = -1;
  };

  std::unordered_map<PeerId, Peer> peers_;
  ByText<PeerId> by_routing_id_;
  ByText<std::deque<PeerId>> by_client_;  // oldest first
  std::uint64_t last_ = 0;
};

}  // namespace hansa::transport
