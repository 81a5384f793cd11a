// How much memory a process has had at most.
#pragma once
#include <cstdint>

#include <sys/types.h>

namespace hansa::client::internal {

// Bytes in memory at one time since its start (VmHWM of /proc), its libraries included; 0: the system does not tell.
[[nodiscard]] std::uint64_t peak_memory(pid_t process);

}  // namespace hansa::client::internal
