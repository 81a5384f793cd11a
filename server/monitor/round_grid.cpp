#include "server/monitor/round_grid.h"

#include <algorithm>
#include <cassert>

namespace hansa::server {

std::vector<RoundId> thinned_rounds(RoundId last, std::uint32_t points,
                                    const std::vector<RoundId>& preferred) {
  assert(points >= 2);
  std::vector<RoundId> out;
  if (last.value == 0) return out;
  if (last.value <= points) {
    for (std::uint32_t round = 1; round <= last.value; ++round) out.emplace_back(round);
    return out;
  }
  out.emplace_back(1U);
  // The first and the last round are in addition to one round of each interval.
  if (points > 2) {
    std::uint32_t length = 1;
    while ((last.value - 1) / length + 1 > points - 2) length *= 2;
    for (std::uint64_t begin = 0; begin < last.value; begin += length) {
      const RoundId end(static_cast<std::uint32_t>(std::min<std::uint64_t>(begin + length, last.value)));
      const auto after = std::ranges::upper_bound(preferred, end);
      const bool has_preferred = after != preferred.begin() && std::prev(after)->value > begin;
      const RoundId shown = has_preferred ? *std::prev(after) : end;
      if (shown > out.back()) out.push_back(shown);
    }
  }
  if (out.back() < last) out.push_back(last);
  return out;
}

}  // namespace hansa::server
