#include "server/engine/internal/traffic.h"

namespace hansa::server::internal {

void Traffic::received(PeerId peer, std::string_view client, std::uint64_t bytes) {
  total_.up += bytes;
  of_round_[std::string(client)].up += bytes;
  client_of_[peer] = client;
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
