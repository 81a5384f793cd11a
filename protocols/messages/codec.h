// Messages to bytes and back. Decoding is bounded: hostile bytes give an error, allocate no more
// than the fields' maxima, and touch nothing.
//
//   offset 0  2 bytes  'H' 'N'
//          2  1 byte   protocol version
//          3  1 byte   type: the message's place in messages::Message
//          4  8 bytes  session, little-endian; 0 in Hello
//         12  …        body: cereal portable binary, to the end of the frame
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "common/error.h"
#include "protocols/messages/messages.h"

namespace hansa::messages {

inline constexpr std::size_t header_bytes = 12;

struct Envelope {
  SessionId session;
  Message message;
};

// Texts longer than their maximum are cut; the result is at most message_bytes_max.
[[nodiscard]] std::vector<std::byte> encode(SessionId session, const Message& message);

// Fails (refused) on a message of another version (see version_of); (protocol) on what is no Hansa message,
// an unknown type, a field out of bounds, a body that is too short or too long.
[[nodiscard]] Result<Envelope> decode(std::span<const std::byte> frame);

// The version a frame claims, 0 if it is no Hansa message: to refuse other versions by name.
[[nodiscard]] std::uint8_t version_of(std::span<const std::byte> frame);

}  // namespace hansa::messages
