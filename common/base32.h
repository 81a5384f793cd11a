// Base32 (RFC 4648, section 6) without padding: upper-case letters and digits, as QR codes store them most densely.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hansa {

[[nodiscard]] std::string to_base32(std::span<const std::uint8_t> bytes);
// Accepts lower case too. Empty for any other character, for an impossible length, and if unused bits are not zero, so
// that a text has one meaning and bytes have one text.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> from_base32(std::string_view text);

}  // namespace hansa
