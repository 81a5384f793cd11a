// The records of TensorBoard's event files: the framing of TFRecord around messages of protobuf (event.proto,
// summary.proto of TensorFlow). Pure functions.
//
//   record:  length (u64), masked CRC32C of these 8 bytes (u32), the message, its masked CRC32C (u32); little-endian
//   message: Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; }
//            Summary { repeated Value value = 1; }  Value { string tag = 1; float simple_value = 2; }
//
// CRC32C: RFC 3720, appendix B.4. The mask of a CRC c is ((c >> 15) | (c << 17)) + 0xa282ead8.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/identifiers.h"
#include "server/output/series.h"

namespace hansa::server::internal {

[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);
[[nodiscard]] std::uint32_t masked_crc32c(std::string_view bytes);

inline constexpr std::size_t record_head_bytes = 12;
inline constexpr std::size_t message_bytes_max = 1 << 20;  // of a record that this program wrote
[[nodiscard]] std::string framed(std::string_view message);
// The length of the message that follows a record's first 12 bytes. Empty: they are damaged, or it is above
// message_bytes_max.
[[nodiscard]] std::optional<std::size_t> message_bytes(std::string_view head);

// The first message of a file.
[[nodiscard]] std::string version_event(double wall_time);
// All values of the row, rounded to float32.
[[nodiscard]] std::string event_of(const SeriesRow& row);

// Which row a message is: its round, and the first tag's text before the '/'.
struct EventKey {
  std::string kind;
  RoundId round;
};
[[nodiscard]] EventKey key_of(const SeriesRow& row);
// Of a message of event_of. Empty for any other one.
[[nodiscard]] std::optional<EventKey> key_of_event(std::string_view message);

}  // namespace hansa::server::internal
