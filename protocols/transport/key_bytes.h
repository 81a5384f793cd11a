// Public keys as 32 raw bytes, for formats that are not text.
#pragma once
#include <array>
#include <cstdint>

#include "protocols/transport/keys.h"

namespace hansa::transport {

// Fails (usage) if the key's text is not Z85, which keys that were parsed are.
[[nodiscard]] Result<std::array<std::uint8_t, 32>> raw_bytes(const PublicKey& key);
[[nodiscard]] PublicKey public_key_of(const std::array<std::uint8_t, 32>& bytes);

}  // namespace hansa::transport
