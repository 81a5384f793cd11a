// Derives the seeds of codecs as docs/protocol.md specifies. Client and aggregator derive the same ones.
#pragma once
#include <cstdint>

#include "common/digest.h"
#include "protocols/codecs/plan.h"

namespace hansa::codecs {

// The seeds of a client's update, from the seeds of its task and of the cohort.
[[nodiscard]] Seeds update_seeds(std::uint64_t task_seed, std::uint64_t cohort_seed);
// The seeds of the delta that starts at the published model `base`.
[[nodiscard]] Seeds delta_seeds(const Digest& base);

}  // namespace hansa::codecs
