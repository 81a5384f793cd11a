#include "server/selection/uniform.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "common/random.h"

namespace hansa::server {

std::vector<std::size_t> UniformSelection::select(std::span<const Candidate> candidates, std::size_t size,
                                                  RoundId /*round*/, std::uint64_t seed) const {
  assert(size >= 1 && size <= candidates.size());
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (size == order.size()) return order;
  Random random(seed);
  random.shuffle(std::span(order));
  order.resize(size);
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace hansa::server
