#include "server/selection/power_of_choice.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>
#include <limits>

#include "common/random.h"
#include "server/selection/weighted_draw.h"

namespace hansa::server {

std::vector<std::size_t> PowerOfChoice::select(std::span<const Candidate> candidates, std::size_t size,
                                               RoundId /*round*/, std::uint64_t seed) const {
  assert(size >= 1 && size <= candidates.size());
  const double wanted = std::ceil(candidates_ * static_cast<double>(size));
  const std::size_t drawn =
      wanted < static_cast<double>(candidates.size()) ? static_cast<std::size_t>(wanted) : candidates.size();
  std::vector<double> weights;
  for (const Candidate& candidate : candidates) weights.push_back(static_cast<double>(candidate.examples));
  Random random(seed);
  auto out = internal::weighted_draw(weights, drawn, random);
  std::ranges::stable_sort(out, std::greater(), [&](std::size_t i) {
    return candidates[i].loss.value_or(std::numeric_limits<double>::infinity());
  });
  out.resize(size);
  std::ranges::sort(out);
  return out;
}

}  // namespace hansa::server
