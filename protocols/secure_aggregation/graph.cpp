#include "protocols/secure_aggregation/graph.h"

#include <algorithm>
#include <numeric>

#include "common/transcript.h"

namespace hansa::secure_aggregation {
namespace {

std::vector<Position> circle(std::uint32_t clients, const Digest& seed) {
  std::vector<Digest> keys;
  keys.reserve(clients);
  for (Position i = 0; i < clients; ++i)
    keys.push_back(Transcript("hansa secagg graph 1").bytes(seed.bytes).number(i, 4).digest());
  std::vector<Position> order(clients);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](Position a, Position b) { return keys[a] < keys[b]; });
  return order;
}

}  // namespace

Graph::Graph(const GraphParameters& parameters, const Digest& seed) : parameters_(parameters) {
  const std::uint32_t n = parameters.clients;
  neighbours_.resize(n);
  if (parameters.complete()) {
    std::vector<Position> all(n);
    std::iota(all.begin(), all.end(), 0);
    holders_.assign(n, all);
    for (Position i = 0; i < n; ++i) {
      neighbours_[i] = all;
      neighbours_[i].erase(neighbours_[i].begin() + i);
    }
    return;
  }
  const std::vector<Position> order = circle(n, seed);
  for (std::uint32_t at = 0; at < n; ++at) {
    std::vector<Position>& mine = neighbours_[order[at]];
    for (std::uint32_t distance = 1; distance <= parameters.neighbours / 2; ++distance) {
      mine.push_back(order[(at + distance) % n]);
      mine.push_back(order[(at + n - distance) % n]);
    }
    std::sort(mine.begin(), mine.end());
  }
  holders_ = neighbours_;
}

}  // namespace hansa::secure_aggregation
