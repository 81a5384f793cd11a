// The seeds of codecs, which both sides derive alike: docs/protocol.md.
#pragma once
#include <cstdint>

#include "common/digest.h"
#include "protocols/codecs/plan.h"

namespace hansa::codecs {

// Of a client's update, from its task's seed and the cohort's.
[[nodiscard]] Seeds update_seeds(std::uint64_t task_seed, std::uint64_t cohort_seed);
// Of the delta that leads on from the published model `base`.
[[nodiscard]] Seeds delta_seeds(const Digest& base);

}  // namespace hansa::codecs
