// One message of each type with fixed, distinct field values: for golden vectors, hostile bytes and fuzzing.
#pragma once
#include <string>
#include <vector>

#include "protocols/messages/codec.h"

namespace hansa::messages::testing {

// Bytes first, first + 1, ... The digests of the samples are all different.
[[nodiscard]] Digest counting_digest(std::uint8_t first);

// Each alternative of messages::Message once, in order.
[[nodiscard]] std::vector<Envelope> samples();

[[nodiscard]] std::string to_hex(std::span<const std::byte> bytes);
// Skips spaces. Returns nothing if the text is not hexadecimal.
[[nodiscard]] std::vector<std::byte> from_hex(std::string_view text);

}  // namespace hansa::messages::testing
