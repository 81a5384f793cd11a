// The places of a block that the cohort's seed picks: an arithmetic progression modulo the block's size, from a random start
// with a random step, so that each place is picked with the same probability.
#pragma once
#include <cmath>
#include <cstdint>
#include <numeric>

#include "protocols/codecs/internal/segment_codec.h"

namespace hansa::codecs::internal {

class Places {
 public:
  // Of 1 to block_values values; number as from places_of.
  Places(std::uint64_t seed, std::uint64_t block, std::size_t values) : values_(values) {
    const std::uint64_t random = mix(seed, block);
    at_ = static_cast<std::size_t>((random & 0xFFFFFFFF) * values >> 32);
    step_ = static_cast<std::size_t>((random >> 32) * values >> 32);
    // The next larger step that meets every place before it comes back.
    while (std::gcd(step_, values) != 1) step_ = step_ % values + 1;
  }
  [[nodiscard]] std::size_t next() {
    const std::size_t out = at_;
    at_ += step_;
    if (at_ >= values_) at_ %= values_;
    return out;
  }

 private:
  std::size_t values_;
  std::size_t at_ = 0;
  std::size_t step_ = 1;
};

// How many of a block's values are picked: at least one.
[[nodiscard]] inline std::size_t places_of(std::size_t values, double fraction) {
  const double share = std::round(fraction * static_cast<double>(values));
  return share < 1 ? 1 : static_cast<std::size_t>(share);
}

}  // namespace hansa::codecs::internal
