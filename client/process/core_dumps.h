// A core dump of a client would hold keys, data and updates.
#pragma once
#include "common/error.h"

namespace hansa::client {

// No core dumps of this process, and no other process of its user may read its memory; HANSA_CORE_DUMPS=1 in the
// environment allows both, for finding a fault. Of the whole process: for programs, not for libraries.
[[nodiscard]] Result<void> forbid_core_dumps();

}  // namespace hansa::client
