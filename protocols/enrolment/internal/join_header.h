// The header of the messages on the port on which devices enrol: join_messages.h.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "protocols/enrolment/internal/bytes.h"

namespace hansa::enrolment::internal {

inline constexpr std::uint8_t join_version = 1;
inline constexpr std::size_t join_header_bytes = 4;

enum class JoinType : std::uint8_t { request = 1, answer = 2, rotation = 3 };

inline void write_header(ByteWriter& out, JoinType type) {
  out.number('H', 1);
  out.number('J', 1);
  out.number(join_version, 1);
  out.number(static_cast<std::uint8_t>(type), 1);
}

inline std::vector<std::byte> to_frame(ByteWriter& writer) {
  const auto bytes = std::as_bytes(std::span(writer.out()));
  return {bytes.begin(), bytes.end()};
}

inline tl::unexpected<Error> malformed(const char* what) {
  return fail(ErrorCode::protocol, "join message", what);
}

// A reader behind the header.
inline Result<ByteReader> read_header(std::span<const std::byte> frame, JoinType type) {
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(frame.data()), frame.size());
  if (bytes.size() < join_header_bytes || bytes[0] != 'H' || bytes[1] != 'J') return malformed("is none");
  if (bytes[2] != join_version)
    return fail(
        ErrorCode::refused, "join message",
        "has version " + std::to_string(bytes[2]) + ", this side speaks " + std::to_string(join_version));
  if (bytes[3] != static_cast<std::uint8_t>(type)) return malformed("has another type");
  return ByteReader(bytes.subspan(join_header_bytes));
}

}  // namespace hansa::enrolment::internal
