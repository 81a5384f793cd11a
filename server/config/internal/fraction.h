// The range of a fraction of clients or values.
#pragma once
#include "common/config/schema.h"

namespace hansa::server::internal {

inline constexpr config::Range fraction{.least = 0, .most = 1, .at_least = config::Bound::exclusive};

}  // namespace hansa::server::internal
