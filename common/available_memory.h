// The memory that a process may still use.
#pragma once
#include <cstdint>
#include <optional>

namespace hansa {

// In bytes: what the system has available, at most what the process's control group (a container's limit) leaves. Empty if the
// system does not tell. Any thread.
[[nodiscard]] std::optional<std::uint64_t> available_memory();

}  // namespace hansa
