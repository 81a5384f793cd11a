// A linear transform that all clients of a cohort apply before their vectors are rounded and summed. Because it is
// linear, the sum of the transformed vectors is the transform of their sum. Secure aggregation therefore allows it;
// codecs whose choices differ from client to client are not possible there.
//
// A randomised Hadamard rotation spreads the values of a segment evenly, so that one scale fits all of them (Suresh,
// Yu, Kumar, McMahan, "Distributed Mean Estimation with Limited Communication", ICML 2017). A fraction of the rotated
// values is kept, at coordinates that are sampled with the seed (Konecny et al. 2016). A client adds the values that it
// left out to its next update (error feedback).
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hansa::codecs {

class SharedTransform {
 public:
  // 0 < fraction <= 1.
  SharedTransform(bool rotated, double fraction, std::uint64_t seed)
      : rotated_(rotated), fraction_(fraction), seed_(seed) {}

  // A part of a segment that is transformed on its own. Blocks have 4,096 values; the remaining values are divided into
  // powers of two, the largest first, down to 16; the last block of fewer than 16 values is not rotated.
  struct Block {
    std::uint64_t first_value = 0;  // in the segment
    std::size_t values = 0;
    std::uint64_t first_coefficient = 0;
    std::size_t coefficients = 0;  // that are kept
  };
  [[nodiscard]] std::vector<Block> blocks(std::uint64_t values) const;
  // The number of coefficients of a segment with this many values.
  [[nodiscard]] std::uint64_t coefficients(std::uint64_t values) const;

  // `segment` is the index of the segment in the vector; rotation and coordinates depend on it. The spans have the
  // sizes of the block.
  void forward(std::uint64_t segment, const Block& block, std::span<const float> values,
               std::span<float> coefficients) const;
  // Inverts the transform, with zeros for the coefficients that were left out.
  void inverse(std::uint64_t segment, const Block& block, std::span<const float> coefficients,
               std::span<float> values) const;

 private:
  bool rotated_;
  double fraction_;
  std::uint64_t seed_;
};

}  // namespace hansa::codecs
