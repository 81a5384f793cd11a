// Which connection a PeerId means: the ROUTER's routing id together with the authenticated client.
//
// ZeroMQ does not tell when a connection ends, so an entry goes when a send fails (forget), when
// its routing id turns up under another client, or when its client has peers_per_client_max newer.
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

  // ROUTER names a connection itself (a zero and four bytes) unless the peer brought a routing id.
  // Brought ones are not served: with an old one of another client's, a peer would get its mail.
  [[nodiscard]] static bool made_by_router(std::string_view routing_id);

  // The peer that speaks: known, or new.
  PeerId learn(std::string_view routing_id, std::string_view client);
  // None: gone.
  [[nodiscard]] std::optional<std::string_view> routing_id(PeerId peer) const;
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
  };

  std::unordered_map<PeerId, Peer> peers_;
  ByText<PeerId> by_routing_id_;
  ByText<std::deque<PeerId>> by_client_;  // oldest first
  std::uint64_t last_ = 0;
};

}  // namespace hansa::transport
