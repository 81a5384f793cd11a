// The largest single allocation of a thread, measured by a replaced operator new. It reveals a decoder that allocates
// for a hostile length before it fails.
#pragma once
#include <cstddef>

namespace hansa::testing {

// Resets the measurement.
void restart_allocation_watch();
[[nodiscard]] std::size_t largest_allocation();

}  // namespace hansa::testing
