// The system calls of a locked process, and of one that reads files.
#pragma once
#include "common/error.h"

namespace hansa::sandbox::internal {

// Installs the filter for all threads. recvmsg() is allowed on `channel` only. The process must have no_new_privs. Fails
// (resource) if the kernel refuses it.
[[nodiscard]] Result<void> filter_system_calls(int channel);

// Installs a filter for all threads that allows every call but those that start a program or a process, make a socket, or
// reach into another process: they end the process, and a socket fails with EPERM, because libraries ask for one without
// need. filter_system_calls() may follow. The process must have no_new_privs. Fails (resource) if the kernel refuses it.
[[nodiscard]] Result<void> deny_other_programs();

}  // namespace hansa::sandbox::internal
