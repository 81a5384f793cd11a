// What the storms of hostile and honest traffic have in common: the shell's spools, and the sessions of the peers.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "tests/coordinator/harness.h"

namespace hansa::server::testing {

// The spools of open updates that the shell would hold. Expects that effects come in an order that it can carry out.
class Spools {
 public:
  void look(const Effect& effect);
  [[nodiscard]] std::size_t size() const { return open_.size(); }

  std::vector<std::string> checks;  // clients whose complete update is to be verified

 private:
  std::set<std::string> open_;
};

// Two connections for each client, with the same key.
[[nodiscard]] std::vector<Peer> two_peers_each(Harness& h, const std::vector<std::string>& clients);
// Gives the peers the sessions of the Welcomes that they were sent.
void adopt_sessions(std::vector<Peer>& peers, const std::vector<Effect>& effects);

}  // namespace hansa::server::testing
