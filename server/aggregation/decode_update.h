// The values of one complete update, float32 or encoded: for forms that keep whole updates until the end of a round.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "common/error.h"
#include "protocols/codecs/plan.h"

namespace hansa::server {

// How the bytes of an update are decoded. The plan must outlive this struct.
struct UpdateEncoding {
  const codecs::Plan* plan = nullptr;  // null: float32
  codecs::Seeds seeds;  // for the plan
  float magnitude_max = 64.0F;
};

// Writes the update's values to out, whose size is that of an update. unpacked: memory for the bytes of a zstd frame.
// Fails (protocol) if the bytes are not an update of that size, or if a value is not finite or beyond magnitude_max;
// `out` is unspecified then. Thread-safe.
[[nodiscard]] Result<void> decode_update(const UpdateEncoding& encoding, std::span<const std::byte> bytes,
                                         std::vector<std::byte>& unpacked, std::span<float> out);

}  // namespace hansa::server
