#include "server/engine/internal/traffic.h"

namespace hansa::server::internal {

void Traffic::received(PeerId peer, std::string_view client, std::uint64_t bytes) {
  total_.up += bytes;
  auto counted = of_round_.find(client);
  if (counted == of_round_.end()) counted = of_round_.emplace(client, Bytes{}).first;
  counted->second.up += bytes;
  const auto known = client_of_.find(peer);
  if (known == client_of_.end() || known->second != client) remember(peer, client);
}

void Traffic::remember(PeerId peer, std::string_view client) {
  client_of_.insert_or_assign(peer, std::string(client));
  std::deque<PeerId>& peers = peers_of_[std::string(client)];
  peers.push_back(peer);
  if (peers.size() <= peers_per_client_max) return;
  if (const auto oldest = client_of_.find(peers.front());
      oldest != client_of_.end() && oldest->second == client)
    client_of_.erase(oldest);
  peers.pop_front();
}

void Traffic::forget(PeerId peer) {
  const auto known = client_of_.find(peer);
  if (known == client_of_.end()) return;
  if (const auto peers = peers_of_.find(known->second); peers != peers_of_.end()) {
    std::erase(peers->second, peer);
    if (peers->second.empty()) peers_of_.erase(peers);
  }
  client_of_.erase(known);
}

void Traffic::forget_client(std::string_view client) {
  const auto peers = peers_of_.find(client);
  if (peers == peers_of_.end()) return;
  for (const PeerId peer : peers->second) client_of_.erase(peer);
  peers_of_.erase(peers);
}

void Traffic::sent(PeerId peer, std::uint64_t bytes) {
  total_.down += bytes;
  if (const auto client = client_of_.find(peer); client != client_of_.end())
    of_round_[client->second].down += bytes;
}

void Traffic::fill_in(std::span<Participation> participations) const {
  for (Participation& participation : participations) {
    const auto found = of_round_.find(participation.client);
    if (found == of_round_.end()) continue;
    participation.bytes_up = found->second.up;
    participation.bytes_down = found->second.down;
  }
}

}  // namespace hansa::server::internal
