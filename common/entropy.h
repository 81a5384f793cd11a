// Numbers that nobody can predict, from OpenSSL. Thread-safe. Repeatable ones: common/random.h.
#pragma once
#include <cstdint>

#include "common/error.h"

namespace hansa {

// Fails (internal) if OpenSSL has no random bytes, as on a machine that lacks a source of them.
[[nodiscard]] Result<std::uint64_t> unpredictable_number();

}  // namespace hansa
