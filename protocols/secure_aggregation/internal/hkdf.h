// HKDF-SHA256 (RFC 5869), computed by OpenSSL.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "common/secret.h"

namespace hansa::secure_aggregation::internal {

[[nodiscard]] Secret32 hkdf(std::span<const std::uint8_t> key, std::span<const std::uint8_t> salt,
                            std::string_view info);

}  // namespace hansa::secure_aggregation::internal
