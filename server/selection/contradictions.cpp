#include "server/selection/contradictions.h"

#include <algorithm>

#include "common/random.h"

namespace hansa::server {

bool Contradictions::add(const Contradiction& contradiction) {
  if (contradiction.one == contradiction.other) return false;
  others_[contradiction.other].insert(contradiction.one);
  return others_[contradiction.one].insert(contradiction.other).second;
}

std::size_t Contradictions::count(std::string_view client) const {
  const auto found = others_.find(client);
  return found == others_.end() ? 0 : found->second.size();
}

std::vector<std::string> Contradictions::beyond(std::size_t most) const {
  Contradictions left = *this;
  std::vector<std::string> out;
  // Each one that is found is one of the `most` corrupt clients.
  for (bool found = true; found && most > 0;) {
    found = false;
    for (const auto& [client, others] : left.others_) {
      if (others.size() <= most) continue;
      out.push_back(client);
      left.forget(client);
      --most;
      found = true;
      break;
    }
  }
  return out;
}

std::vector<Contradiction> Contradictions::all() const {
  std::vector<Contradiction> out;
  for (const auto& [one, others] : others_)
    for (const std::string& other : others)
      if (one < other) out.push_back({one, other});
  return out;
}

void Contradictions::forget(std::string_view client) {
  const auto found = others_.find(client);
  if (found == others_.end()) return;
  const std::string name = found->first;
  for (const std::string& other : found->second)
    if (const auto back = others_.find(other); back != others_.end()) {
      back->second.erase(name);
      if (back->second.empty()) others_.erase(back);
    }
  others_.erase(name);
}

std::vector<std::string> Contradictions::keep_apart(std::vector<std::string> candidates, std::size_t least,
                                                    std::uint64_t seed) const {
  if (others_.empty()) return candidates;
  struct Candidate {
    std::uint64_t lot;
    std::size_t conflicts;
  };
  std::map<std::string, Candidate, std::less<>> left;
  Random random(seed);
  for (const std::string& candidate : candidates) left.emplace(candidate, Candidate{random.next(), 0});
  const auto others_left = [&](const std::string& client) {
    std::vector<Candidate*> out;
    if (const auto found = others_.find(client); found != others_.end())
      for (const std::string& other : found->second)
        if (const auto at = left.find(other); at != left.end()) out.push_back(&at->second);
    return out;
  };
  for (auto& [client, candidate] : left) candidate.conflicts = others_left(client).size();
  while (left.size() > least) {
    const auto worst = std::ranges::max_element(
        left, {}, [](const auto& entry) { return std::pair(entry.second.conflicts, entry.second.lot); });
    if (worst->second.conflicts == 0) break;
    for (Candidate* other : others_left(worst->first)) --other->conflicts;
    left.erase(worst);
  }
  std::vector<std::string> out;
  for (const auto& [client, candidate] : left) out.push_back(client);
  return out;
}

}  // namespace hansa::server
