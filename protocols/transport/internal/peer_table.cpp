#include "protocols/transport/internal/peer_table.h"

#include <algorithm>

namespace hansa::transport {

bool PeerTable::made_by_router(std::string_view routing_id) {
  return routing_id.size() == 5 && routing_id.front() == '\0';
}

PeerId PeerTable::learn(std::string_view routing_id, std::string_view client, int descriptor) {
  const auto known = by_routing_id_.find(routing_id);
  if (known != by_routing_id_.end()) {
    const PeerId peer = known->second;
    if (peers_.at(peer).client == client) return peer;
    forget(peer);
  }
  const auto of_client = by_client_.find(client);
  if (of_client != by_client_.end() && of_client->second.size() >= peers_per_client_max)
    forget(of_client->second.front());
  const PeerId peer(++last_);
  peers_.emplace(peer, Peer{std::string(routing_id), std::string(client), descriptor});
  by_routing_id_.emplace(routing_id, peer);
  by_client_[std::string(client)].push_back(peer);
  return peer;
}

std::optional<std::string_view> PeerTable::routing_id(PeerId peer) const {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return std::nullopt;
  return found->second.routing_id;
}

int PeerTable::descriptor(PeerId peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? -1 : found->second.descriptor;
}

void PeerTable::forget(PeerId peer) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return;
  by_routing_id_.erase(found->second.routing_id);
  const auto of_client = by_client_.find(found->second.client);
  std::erase(of_client->second, peer);
  if (of_client->second.empty()) by_client_.erase(of_client);
  peers_.erase(found);
}

}  // namespace hansa::transport
