// One message of each type with fixed field values that differ from the defaults: for golden vectors, hostile bytes
// and fuzzing.
#pragma once
#include <string>
#include <vector>

#include "protocols/messages/codec.h"

namespace hansa::messages::testing {

// Bytes first, first + 1, ... The digests of the samples are all different.
[[nodiscard]] Digest counting_digest(std::uint8_t first);

// Each message of the direction once, in the order of messages::ToClient and messages::ToAggregator.
[[nodiscard]] std::vector<Envelope<ToClient>> samples_to_client();
[[nodiscard]] std::vector<Envelope<ToAggregator>> samples_to_aggregator();

// The samples of both directions, encoded, in the order of their numbers; a type of both directions is there once.
struct Frame {
  Type type;
  SessionId session;
  std::vector<std::byte> bytes;
};
[[nodiscard]] std::vector<Frame> frames();

[[nodiscard]] std::string to_hex(std::span<const std::byte> bytes);
// Skips spaces. Returns nothing if the text is not hexadecimal.
[[nodiscard]] std::vector<std::byte> from_hex(std::string_view text);

}  // namespace hansa::messages::testing
