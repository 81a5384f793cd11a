#include "server/selection/quorum.h"

#include <algorithm>
#include <cmath>

namespace hansa::server {

std::uint32_t quorum_of(double fraction, std::uint32_t cohort) {
  // The small addition keeps a half a half although the product may be a little less.
  const double nearest = std::floor(fraction * cohort + 0.5 + 1e-9);
  return static_cast<std::uint32_t>(std::clamp(nearest, 1.0, std::max(1.0, static_cast<double>(cohort))));
}

}  // namespace hansa::server
