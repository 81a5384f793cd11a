#include "server/selection/new_data.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <numeric>

#include "common/random.h"

namespace hansa::server {

std::vector<std::size_t> NewDataSelection::select(std::span<const Candidate> candidates, std::size_t size,
                                                  RoundId /*round*/, std::uint64_t seed) const {
  assert(size >= 1 && size <= candidates.size());
  std::vector<std::size_t> out(candidates.size());
  std::iota(out.begin(), out.end(), std::size_t{0});
  Random random(seed);
  random.shuffle(std::span(out));
  std::ranges::stable_sort(out, std::greater(), [&](std::size_t i) { return candidates[i].new_examples; });
  out.resize(size);
  std::ranges::sort(out);
  return out;
}

}  // namespace hansa::server
