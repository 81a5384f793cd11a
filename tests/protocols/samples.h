// One message of each type with fixed, telling field values: for golden vectors, hostile bytes and fuzzing.
#pragma once
#include <string>
#include <vector>

#include "protocols/messages/codec.h"

namespace hansa::messages::testing {

// Bytes first, first + 1, ...: no two of the samples' digests are alike.
[[nodiscard]] Digest counting_digest(std::uint8_t first);

// In the order of messages::Message, each of them once.
[[nodiscard]] std::vector<Envelope> samples();

[[nodiscard]] std::string to_hex(std::span<const std::byte> bytes);
// Spaces are skipped. Empty if the text is not hexadecimal.
[[nodiscard]] std::vector<std::byte> from_hex(std::string_view text);

}  // namespace hansa::messages::testing
