// Landlock's system calls, which glibc does not wrap and Debian 12's headers know only in part.
#pragma once
#include "common/error.h"
#include "common/sandbox/lock.h"
#include "common/sandbox/reading.h"

namespace hansa::sandbox::internal {

// Denies every access to files by name, TCP, abstract sockets and signals to other processes, as far as the kernel
// knows these rights. The process must have no_new_privs.
[[nodiscard]] Landlock deny_everything();

// Denies the same, but for reading all files that are not secret, and for writing where `config` allows it. A rule of
// Landlock only allows, so that each file and folder next to a secret, and next to a folder with one, gets a rule. What is
// created there later cannot be read. The process must have no_new_privs.
[[nodiscard]] Result<Landlock> allow_reading(const ReadingConfig& config);

}  // namespace hansa::sandbox::internal
