// Bytes as hex digits and back.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hansa {

[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);  // lower case
// False, with out undefined, unless digits are two for each byte of out, of either case.
[[nodiscard]] bool from_hex(std::string_view digits, std::span<std::uint8_t> out);

}  // namespace hansa
