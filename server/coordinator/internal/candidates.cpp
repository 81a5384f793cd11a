#include "server/coordinator/internal/candidates.h"

namespace hansa::server {

std::vector<std::string> choose(const Shared& shared, const std::vector<std::string>& clients,
                                std::size_t size, RoundId round, std::uint64_t seed) {
  std::vector<Candidate> candidates;
  for (const std::string& name : clients) {
    const Client& c = *shared.clients.find(name);
    candidates.push_back({name, c.examples, c.new_examples, c.rounds_counted, c.rounds_lost, c.last_selected,
                          c.train_seconds, c.round_seconds, c.loss});
  }
  std::vector<std::string> out;
  for (const std::size_t i : shared.policy->select(candidates, size, round, seed)) out.push_back(clients[i]);
  return out;
}

}  // namespace hansa::server
