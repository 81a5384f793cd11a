// Landlock's system calls, which glibc does not wrap and Debian 12's headers know only in part.
#pragma once
#include "common/sandbox/lock.h"

namespace hansa::sandbox::internal {

// Denies every access to files by name, TCP, abstract sockets and signals to other processes, as far as the kernel
// knows these rights. The process must have no_new_privs.
[[nodiscard]] Landlock deny_everything();

}  // namespace hansa::sandbox::internal
