// Values to bytes, with what is kept for the next time.
//
// The bytes of an update: one byte that says how the rest is stored (0: as it is; 1: as one zstd frame), then the segments
// in order. docs/protocol.md has each codec's bytes.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "protocols/codecs/plan.h"

namespace hansa::codecs {

// Whether bytes are packed once more by zstd where that makes them smaller.
enum class Entropy : std::uint8_t { never, if_smaller };

// One thread at a time. The plan outlives it.
class Encoder {
 public:
  explicit Encoder(const Plan& plan) : plan_(&plan) {}

  // values: of the plan. state, next_state: of state_values(), before and after this update; state may be empty for none yet. They
  // may not overlap. out is replaced. False if a value is not finite or beyond magnitude_max: out and next_state are of no use
  // then.
  [[nodiscard]] bool encode(std::span<const float> values, std::span<const float> state,
                            std::span<float> next_state, const Seeds& seeds, float magnitude_max,
                            Entropy entropy, std::vector<std::byte>& out);

 private:
  const Plan* plan_;
  std::vector<std::byte> packed_;
};

// What encode() does last if asked to: what it wrote with Entropy::never, packed by zstd if that is smaller by a sixteenth at
// least; true then.
[[nodiscard]] bool pack(std::span<const std::byte> update, std::vector<std::byte>& packed);

}  // namespace hansa::codecs
