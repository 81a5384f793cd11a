// The coordinates of a block that are sampled with the cohort's seed: an arithmetic progression modulo the block's size
// with a random start and a random stride, so that each coordinate is sampled with the same probability.
#pragma once
#include <cmath>
#include <cstdint>
#include <numeric>

#include "protocols/codecs/internal/segment_codec.h"

namespace hansa::codecs::internal {

class SampledCoordinates {
 public:
  // For a block of 1 to block_values values.
  SampledCoordinates(std::uint64_t seed, std::uint64_t block, std::size_t values) : values_(values) {
    const std::uint64_t random = mix(seed, block);
    at_ = static_cast<std::size_t>((random & 0xFFFFFFFF) * values >> 32);
    stride_ = static_cast<std::size_t>((random >> 32) * values >> 32);
    // The next stride that reaches every coordinate before the first one again.
    while (std::gcd(stride_, values) != 1) stride_ = stride_ % values + 1;
  }
  // May be called sampled_count(values, fraction) times.
  [[nodiscard]] std::size_t next() {
    const std::size_t out = at_;
    at_ += stride_;
    if (at_ >= values_) at_ %= values_;
    return out;
  }

 private:
  std::size_t values_;
  std::size_t at_ = 0;
  std::size_t stride_ = 1;
};

// The number of sampled values of a block: at least 1.
[[nodiscard]] inline std::size_t sampled_count(std::size_t values, double fraction) {
  const double count = std::round(fraction * static_cast<double>(values));
  return count < 1 ? 1 : static_cast<std::size_t>(count);
}

}  // namespace hansa::codecs::internal
