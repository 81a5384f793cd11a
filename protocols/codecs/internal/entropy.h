// The last stage of encoding: compresses the bytes to a zstd frame if that makes them smaller.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "common/error.h"

namespace hansa::codecs::internal {

enum class Stored : unsigned char { plain = 0, zstd = 1 };

// `bytes` begins with a byte Stored::plain. Writes the compressed form to `packed` and returns true if it is smaller by
// at least a sixteenth.
[[nodiscard]] bool pack(std::span<const std::byte> bytes, std::vector<std::byte>& packed);
// The bytes after the first, decompressed into `memory` if they are a zstd frame. Fails with `protocol` if the frame is
// invalid or its content is larger than bytes_max.
[[nodiscard]] Result<std::span<const std::byte>> unpack(std::span<const std::byte> bytes,
                                                        std::uint64_t bytes_max,
                                                        std::vector<std::byte>& memory);

}  // namespace hansa::codecs::internal
