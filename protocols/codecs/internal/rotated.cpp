// DRIVE and EDEN: Vargaftik, Ben-Basat, Portnoy, Mendelson, Ben-Itzhak, Mitzenmacher, "DRIVE: One-bit Distributed Mean
// Estimation" (NeurIPS 2021) and "EDEN: Communication-Efficient and Robust Distributed Mean Estimation for Federated
// Learning" (ICML 2022), with a uniform grid instead of Lloyd's and one rotation per block: [scale, float32][codes].
//
// x is padded to a power of two, its signs are flipped at random, and y = H x. The values of y are nearly normal with
// the standard deviation |x|, whatever x is. Each is rounded to the nearest level of a grid that suits this
// distribution. With the scale |x|^2 / (y . levels) the expectation of the decoded vector over rotations is x.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "common/kernels/hadamard.h"
#include "common/kernels/levels.h"
#include "common/kernels/vectors.h"
#include "protocols/codecs/internal/kinds.h"

namespace hansa::codecs::internal {
namespace {

// The level spacing of the uniform grid of 2^bits levels with the least squared error for a standard normal value (Max
// 1960, table II).
constexpr std::array<float, 9> delta_of{0,       1.5957F, 0.9957F, 0.5860F, 0.3352F,
                                        0.1881F, 0.1041F, 0.0569F, 0.0308F};

std::size_t padded(std::size_t values) {
  return std::bit_ceil(std::max(values, kernels::hadamard_values_min));
}

class Rotated final : public BlockCodec {
 public:
  Rotated(std::uint64_t values, unsigned bits) : BlockCodec(values), bits_(bits) {}

 protected:
  std::size_t block_bytes(std::size_t values) const override {
    return sizeof(float) + kernels::packed_code_bytes(padded(values), bits_);
  }

  void encode_block(std::span<const float> values, std::uint64_t block, const Context& context,
                    std::span<std::byte> out) const override {
    alignas(64) std::array<float, block_values> buffer;
    const auto y = std::span(buffer).first(padded(values.size()));
    const double squares = kernels::sum_of_squares(values);
    kernels::flip_signs(values, mix(context.seeds.update, block), kernels::no_limit, y.first(values.size()));
    std::fill(y.begin() + static_cast<std::ptrdiff_t>(values.size()), y.end(), 0.0F);
    kernels::hadamard(y);
    const auto length = static_cast<float>(std::sqrt(squares));
    const bool is_zero = !(length > 1e-30F);
    alignas(64) std::array<std::uint8_t, block_values> code_buffer;
    const auto codes = std::span(code_buffer).first(y.size());
    const float inverse = is_zero ? 0.0F : 1 / (delta_of[bits_] * length);
    const double along = kernels::quantise_nearest(y, inverse, bits_, codes);
    store(out, 0, is_zero ? 0.0F : static_cast<float>(squares * inverse / along));
    kernels::pack_codes(codes, bits_, octets(out.subspan(sizeof(float))));
  }

  // Only the scale is checked; decoding clamps the values. The scale of an honest block is far below the limit, because
  // scale times level has the magnitude of the block's values divided by the square root of their number.
  bool check_block(std::span<const std::byte> bytes, std::size_t /*values*/,
                   const Context& context) const override {
    return std::fabs(load<float>(bytes)) <= context.limit();
  }

  void decode_block(std::span<const std::byte> bytes, std::uint64_t block, const Context& context,
                    std::span<float> out) const override {
    alignas(64) std::array<std::uint8_t, block_values> code_buffer;
    alignas(64) std::array<float, block_values> buffer;
    const auto codes = std::span(code_buffer).first(padded(out.size()));
    const auto y = std::span(buffer).first(codes.size());
    kernels::unpack_codes(octets(bytes.subspan(sizeof(float))), bits_, codes);
    kernels::levels_to_values(codes, bits_, load<float>(bytes), y);
    kernels::hadamard(y);
    kernels::flip_signs(y.first(out.size()), mix(context.seeds.update, block), context.magnitude_max, out);
  }

  // The rotation multiplies the sum of squares by the number of values. Values that decoding clamps are counted before
  // they are clamped, and the padding of a segment's last block is included.
  double block_squares(std::span<const std::byte> bytes, std::uint64_t /*block*/, const Context& /*context*/,
                       std::size_t values) const override {
    const std::size_t count = padded(values);
    const double scale = load<float>(bytes);
    std::uint64_t squares = count;  // of one bit: each level is 1 or -1
    if (bits_ > 1) {
      alignas(64) std::array<std::uint8_t, block_values> code_buffer;
      const auto codes = std::span(code_buffer).first(count);
      kernels::unpack_codes(octets(bytes.subspan(sizeof(float))), bits_, codes);
      squares = kernels::sum_of_squared_levels(codes, bits_);
    }
    return scale * scale * static_cast<double>(count) * static_cast<double>(squares);
  }

 private:
  unsigned bits_;
};

}  // namespace

std::unique_ptr<SegmentCodec> make_rotated(std::uint64_t values, unsigned bits) {
  return std::make_unique<Rotated>(values, bits);
}

}  // namespace hansa::codecs::internal
