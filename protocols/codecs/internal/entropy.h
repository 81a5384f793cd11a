// The last stage of encoding: bytes once more, as a zstd frame, where that makes them smaller.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "common/error.h"

namespace hansa::codecs::internal {

enum class Stored : unsigned char { plain = 0, zstd = 1 };

// bytes: after one that says they are plain. Packed into `packed` if that is smaller by a sixteenth at least; true then.
[[nodiscard]] bool pack(std::span<const std::byte> bytes, std::vector<std::byte>& packed);
// The bytes after the first, unpacked into memory if need be. Fails (protocol) on what is no frame, or one of more than bytes_max.
[[nodiscard]] Result<std::span<const std::byte>> unpack(std::span<const std::byte> bytes,
                                                        std::uint64_t bytes_max,
                                                        std::vector<std::byte>& memory);

}  // namespace hansa::codecs::internal
