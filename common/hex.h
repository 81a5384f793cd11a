// Bytes as hex digits and back.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hansa {

[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);  // lower case
// Accepts two digits per byte of out, in either case. Otherwise returns false and leaves out undefined.
[[nodiscard]] bool from_hex(std::string_view digits, std::span<std::uint8_t> out);

}  // namespace hansa
