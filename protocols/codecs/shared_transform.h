// What a cohort does alike to its vectors before they are rounded and summed: linear, so that the sum of what was transformed is
// the transform of the sum. It goes with secure sums, which per-client choices do not.
//
// A randomised Hadamard rotation spreads the values of a segment evenly, so that one grid fits them all (Suresh, Yu, Kumar, McMahan,
// "Distributed Mean Estimation with Limited Communication", ICML 2017); of the rotated values a share is kept, at places that the seed
// picks (Konecny et al. 2016). Who leaves values out keeps them for the next time (error feedback).
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hansa::codecs {

class SharedTransform {
 public:
  // 0 < share <= 1.
  SharedTransform(bool rotated, double share, std::uint64_t seed)
      : rotated_(rotated), share_(share), seed_(seed) {}

  // A piece of a segment that is transformed by itself: 4,096 values, then the largest powers of two that are left, down to 16, and
  // a rest that is not rotated.
  struct Block {
    std::uint64_t first_value = 0;  // in the segment
    std::size_t values = 0;
    std::uint64_t first_number = 0;
    std::size_t numbers = 0;
  };
  [[nodiscard]] std::vector<Block> blocks(std::uint64_t values) const;
  // Of a segment of so many values.
  [[nodiscard]] std::uint64_t numbers(std::uint64_t values) const;

  // The segment's place in the vector chooses rotation and places. Sizes are those of the block.
  void forward(std::uint64_t segment, const Block& block, std::span<const float> values,
               std::span<float> numbers) const;
  // Values whose transform the numbers are, with zeros at the places left out.
  void inverse(std::uint64_t segment, const Block& block, std::span<const float> numbers,
               std::span<float> values) const;

 private:
  bool rotated_;
  double share_;
  std::uint64_t seed_;
};

}  // namespace hansa::codecs
