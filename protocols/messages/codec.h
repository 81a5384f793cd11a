// Messages to bytes and back. Decoding is bounded: hostile bytes give an error, allocate no more
// than the fields' maxima, and touch nothing.
//
//   offset 0  2 bytes  'H' 'N'
//          2  1 byte   protocol version
//          3  1 byte   type: the number of the message (messages.h)
//          4  8 bytes  session, little-endian; 0 in Hello
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
// A valid message that only the other side sends. It belongs nowhere: an aggregator ends the session.
struct Misdirected {
  SessionId session;
  Type type;
};
template <class Message>
using Decoded = Result<std::variant<Envelope<Message>, Misdirected>>;

// Texts for people that are longer than their maximum are cut. The caller keeps the result within message_bytes_max: a
// task with hundreds of long texts can exceed it.
[[nodiscard]] std::vector<std::byte> encode(SessionId session, const ToClient& message);
[[nodiscard]] std::vector<std::byte> encode(SessionId session, const ToAggregator& message);

// Fails (refused) on a message of another version (see version_of); (protocol) on a frame that is no Hansa message,
// an unknown type, a field out of bounds, a body that is too short or too long.
[[nodiscard]] Decoded<ToClient> decode_to_client(std::span<const std::byte> frame);
[[nodiscard]] Decoded<ToAggregator> decode_to_aggregator(std::span<const std::byte> frame);

// The version a frame claims, 0 if it is no Hansa message: to refuse other versions by name.
[[nodiscard]] std::uint8_t version_of(std::span<const std::byte> frame);

}  // namespace hansa::messages
