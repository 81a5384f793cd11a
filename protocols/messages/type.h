// What every message has: a number and a name. And the limits that messages share.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hansa::messages {

inline constexpr std::uint8_t protocol_version = 6;
inline constexpr std::size_t message_bytes_max = 64 * 1024;
inline constexpr std::size_t bulk_bytes_max = 1024 * 1024;
inline constexpr std::size_t name_bytes_max = 64;  // federation, client, run, metric, input, option
inline constexpr std::size_t text_bytes_max = 1024;  // reasons and hints
inline constexpr std::size_t metrics_max = 64;

// A message's number on the wire, and its name for logs. A number is never given to another message.
struct Type {
  std::uint8_t number;
  std::string_view name;
};
inline constexpr std::size_t types_count = 26;  // the numbers from 0 on

}  // namespace hansa::messages
