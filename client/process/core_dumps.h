// A core dump of a client would hold keys, data and updates.
#pragma once
#include "common/error.h"

namespace hansa::client {

// Disables core dumps of this process, and the reading of its memory by other processes of its user. HANSA_CORE_DUMPS=1
// in the environment allows both, for debugging. This affects the whole process, so that only programs call it, not
// libraries.
[[nodiscard]] Result<void> forbid_core_dumps();

}  // namespace hansa::client
