// The largest single allocation of a thread, by replaced operator new: a decoder that believes a
// hostile length shows here before it fails.
#pragma once
#include <cstddef>

namespace hansa::testing {

// Forgets what was seen.
void restart_allocation_watch();
[[nodiscard]] std::size_t largest_allocation();

}  // namespace hansa::testing
