// Locks a process that is about to run code it does not trust. There is no way back.
//
// Afterwards the process computes, reads and writes descriptors that it has open, and starts threads. It opens no file,
// for reading or writing, starts no program or process, has no socket but those that are open, sends signals to nobody
// else, and raises none of its limits. What would be such an attack (a socket, a new process, ptrace) ends the process by
// SIGSYS; every other call that is not on the list of internal/system_calls.cpp, such as open(), fails with EPERM,
// because libraries try it for good reasons and continue without it.
//
// seccomp holds alone. Landlock, where the kernel has it, denies files, TCP and signals a second time, in the part of
// the kernel that knows what a file is. Not covered: what the open descriptors give access to, timing, and errors of the
// kernel in the calls that are left. docs/sandbox.md.
//
// Sources: seccomp(2), landlock(7), prctl(2) PR_SET_NO_NEW_PRIVS; libseccomp's seccomp_rule_add(3).
#pragma once
#include <cstdint>

#include "common/error.h"

namespace hansa::sandbox {

struct LockConfig {
  int channel = 0;  // the only socket from which messages are received
  // Address space that may be added to what the process occupies now. 0: what the machine has as memory.
  std::uint64_t memory_bytes_max = 0;
};

enum class Landlock : std::uint8_t { absent, held };

// Limits of memory, no core dumps, and the first choice of the kernel when memory runs out. Needs files, so that it is
// called before lock_process(); useful alone in development.
[[nodiscard]] Result<void> limit_process(const LockConfig& config);

// Locks this thread and those that it starts; seccomp locks all threads of the process. What the process prints
// afterwards is discarded, because code that prints without end would fill the log. Fails (resource) if the kernel
// refuses the filter; the process is then not locked and must not run what it was locked for.
[[nodiscard]] Result<Landlock> lock_process(const LockConfig& config);

}  // namespace hansa::sandbox
