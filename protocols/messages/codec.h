// Encodes messages to bytes and decodes them. Decoding is bounded: hostile bytes give an error, allocate no more than
// the fields' maxima, and have no other effect.
//
//   offset 0  2 bytes  'H' 'N'
//          2  1 byte   protocol version
//          3  1 byte   type: the number of the message (messages.h)
//          4  8 bytes  session, little-endian; 0 in Hello and Refuse
//         12  …        body: cereal portable binary, to the end of the frame
#pragma once
#include <cstddef>
#include <span>
#include <variant>
#include <vector>

#include "common/error.h"
#include "protocols/messages/messages.h"

namespace hansa::messages {

inline constexpr std::size_t header_bytes = 12;

template <class Message>
struct Envelope {
  SessionId session;
  Message message;
};
// A valid message of the wrong direction. An aggregator ends the session of the client that sent it; a client ignores
// it.
struct Misdirected {
  SessionId session;
  Type type;
};
template <class Message>
using Decoded = Result<std::variant<Envelope<Message>, Misdirected>>;

// Truncates texts for people that are longer than their maximum, and texts at a byte that is not UTF-8. The caller must
// keep the result within message_bytes_max, which a task with hundreds of long texts can exceed.
[[nodiscard]] std::vector<std::byte> encode(SessionId session, const ToClient& message);
[[nodiscard]] std::vector<std::byte> encode(SessionId session, const ToAggregator& message);

// Fails (refused) on a message of another protocol version (version_of). Fails (protocol) on a frame that is not a
// Hansa message, an unknown type, a field out of bounds, and a body that is too short or too long.
[[nodiscard]] Decoded<ToClient> decode_to_client(std::span<const std::byte> frame);
[[nodiscard]] Decoded<ToAggregator> decode_to_aggregator(std::span<const std::byte> frame);

// The protocol version in the frame's header; 0 if the frame is not a Hansa message.
[[nodiscard]] std::uint8_t version_of(std::span<const std::byte> frame);

}  // namespace hansa::messages
