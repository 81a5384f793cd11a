#include "server/selection/drop_rate.h"

#include <algorithm>
#include <cmath>

namespace hansa::server {
namespace {

// A round counts half after three further ones.
constexpr double kept = 0.8;
constexpr std::uint32_t factor_max = 2;

}  // namespace

void DropRate::on_attempt(std::uint32_t selected, std::uint32_t counted) {
  selected_ = kept * selected_ + selected;
  dropped_ = kept * dropped_ + (selected - std::min(selected, counted));
}

std::uint32_t DropRate::with_spares(std::uint32_t wanted) const {
  const double most = static_cast<double>(wanted) * factor_max;
  const double remaining = 1 - rate();
  const double needed = remaining > 0 ? std::ceil(static_cast<double>(wanted) / remaining - 1e-9) : most;
  return static_cast<std::uint32_t>(std::min(needed, most));
}

}  // namespace hansa::server
