#include "tests/coordinator/storm.h"

#include <gtest/gtest.h>

namespace hansa::server::testing {

void Spools::look(const Effect& effect) {
  if (const auto* open = std::get_if<OpenUpdate>(&effect)) {
    EXPECT_TRUE(open_.insert(open->ticket.client).second) << open->ticket.client << " has two spools";
  } else if (const auto* append = std::get_if<AppendUpdate>(&effect)) {
    EXPECT_TRUE(open_.contains(append->client)) << append->client << " has no spool";
  } else if (const auto* drop = std::get_if<DropUpdate>(&effect)) {
    EXPECT_EQ(open_.erase(drop->client), 1U) << drop->client << " has no spool to drop";
  } else if (const auto* count = std::get_if<CountUpdate>(&effect)) {
    EXPECT_EQ(open_.erase(count->client), 1U) << count->client << " has no spool to count";
    checks.push_back(count->client);
  }
}

std::vector<Peer> two_peers_each(Harness& h, const std::vector<std::string>& clients) {
  std::vector<Peer> out;
  for (const std::string& client : clients)
    for (int i = 0; i < 2; ++i) out.push_back(h.peer(client));
  return out;
}

void adopt_sessions(std::vector<Peer>& peers, const std::vector<Effect>& effects) {
  for (const Effect& effect : effects)
    if (const auto* send = std::get_if<Send>(&effect);
        send != nullptr && std::holds_alternative<messages::Welcome>(send->message))
      for (Peer& peer : peers)
        if (peer.peer == send->peer) peer.session = send->session;
}

}  // namespace hansa::server::testing
