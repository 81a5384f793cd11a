// The system calls of a locked process.
#pragma once
#include "common/error.h"

namespace hansa::sandbox::internal {

// Installs the filter for all threads. recvmsg() is allowed on `channel` only. The process must have no_new_privs. Fails
// (resource) if the kernel refuses it.
[[nodiscard]] Result<void> filter_system_calls(int channel);

}  // namespace hansa::sandbox::internal
