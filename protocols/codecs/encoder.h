// Encodes the values of an update to bytes, and computes the state that the client keeps for its next update.
//
// An encoded update is one byte that says how the rest is stored (0: uncompressed; 1: as one zstd frame), followed by
// the segments in order. docs/protocol.md specifies the bytes of each codec.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "protocols/codecs/plan.h"

namespace hansa::codecs {

// Whether the encoded bytes are compressed with zstd if that makes them smaller.
enum class Entropy : std::uint8_t { never, if_smaller };

// Not thread-safe. The plan must outlive the encoder.
class Encoder {
 public:
  explicit Encoder(const Plan& plan) : plan_(&plan) {}

  // `values` has plan.values() values. `state` and `next_state` are the client's state before and after this update,
  // with plan.state_values() values; an empty `state` means none yet. The spans do not overlap. `out` is replaced.
  // Returns false if a value is not finite or its magnitude is above magnitude_max; then `out` and `next_state` are
  // unspecified.
  [[nodiscard]] bool encode(std::span<const float> values, std::span<const float> state,
                            std::span<float> next_state, const Seeds& seeds, float magnitude_max,
                            Entropy entropy, std::vector<std::byte>& out);

 private:
  const Plan* plan_;
  std::vector<std::byte> packed_;
};

// The last stage of encode() with Entropy::if_smaller: compresses an update that was encoded with Entropy::never.
// Returns true if the result is smaller by at least a sixteenth.
[[nodiscard]] bool pack(std::span<const std::byte> update, std::vector<std::byte>& packed);

}  // namespace hansa::codecs
