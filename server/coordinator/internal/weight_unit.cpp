#include "server/coordinator/internal/weight_unit.h"

#include <algorithm>
#include <cassert>
#include <vector>

namespace hansa::server {

std::uint64_t weight_unit(std::span<const std::uint64_t> reports, std::uint64_t examples_max) {
  assert(!reports.empty());
  constexpr std::uint64_t medians = 4;
  std::vector<std::uint64_t> sorted(reports.begin(), reports.end());
  for (std::uint64_t& report : sorted) report = std::clamp<std::uint64_t>(report, 1, examples_max);
  std::ranges::sort(sorted);
  const std::uint64_t median = sorted[(sorted.size() - 1) / 2];
  return std::min({sorted.back(), medians * median, examples_max});
}

}  // namespace hansa::server
