// The number and the name that every message has, and the limits that messages have in common.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hansa::messages {

inline constexpr std::uint8_t protocol_version = 11;
inline constexpr std::size_t message_bytes_max = 64 * 1024;
inline constexpr std::size_t bulk_bytes_max = 1024 * 1024;
inline constexpr std::size_t name_bytes_max = 64;  // federation, client, run, metric, input, option
inline constexpr std::size_t text_bytes_max = 1024;  // reasons and hints
inline constexpr std::size_t metrics_max = 64;
inline constexpr std::size_t sum_metrics_max = 144;  // that the setup of a secure sum names

// A message's number on the wire, and its name for logs. A number is never reused for another message.
struct Type {
  std::uint8_t number;
  std::string_view name;
};
inline constexpr std::size_t types_count = 26;  // the numbers are 0 to types_count - 1

}  // namespace hansa::messages
