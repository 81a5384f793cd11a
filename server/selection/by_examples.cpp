#include "server/selection/by_examples.h"

#include <algorithm>
#include <cassert>

#include "common/random.h"
#include "server/selection/weighted_draw.h"

namespace hansa::server {

std::vector<std::size_t> SelectionByExamples::select(std::span<const Candidate> candidates, std::size_t size,
                                                     RoundId /*round*/, std::uint64_t seed) const {
  assert(size >= 1 && size <= candidates.size());
  std::vector<double> weights;
  for (const Candidate& candidate : candidates) weights.push_back(static_cast<double>(candidate.examples));
  Random random(seed);
  auto out = internal::weighted_draw(weights, size, random);
  std::ranges::sort(out);
  return out;
}

}  // namespace hansa::server
