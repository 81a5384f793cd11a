// QSGD: Alistarh, Grubic, Li, Tomioka, Vojnovic, "QSGD: Communication-Efficient SGD via Gradient Quantization and
// Encoding" (NeurIPS 2017), section 3, with a group's largest magnitude instead of its norm.
#include <algorithm>
#include <array>
#include <cmath>

#include "common/kernels/fold.h"
#include "common/kernels/levels.h"
#include "protocols/codecs/internal/kinds.h"
#include "protocols/codecs/internal/uniform.h"

namespace hansa::codecs::internal {
namespace {

// A group with smaller magnitudes has the scale 0, because the reciprocal of a scale must be finite.
constexpr float magnitude_min = 1e-30F;

std::size_t groups_of(std::size_t values) { return (values + group_values - 1) / group_values; }
float levels_of(unsigned bits) { return static_cast<float>((1U << bits) - 1); }

// The codes of a block: unpacked into a buffer, or read in place if a code is a byte.
class Codes {
 public:
  Codes(std::span<const std::byte> packed, unsigned bits, std::size_t count) {
    if (bits == 8) {
      codes_ = octets(packed).first(count);
      return;
    }
    kernels::unpack_codes(octets(packed), bits, std::span(buffer_).first(count));
    codes_ = std::span(buffer_).first(count);
  }
  Codes(const Codes&) = delete;
  Codes& operator=(const Codes&) = delete;
  [[nodiscard]] std::span<const std::uint8_t> group(std::size_t g) const {
    return codes_.subspan(g * group_values, std::min(group_values, codes_.size() - g * group_values));
  }

 private:
  alignas(64) std::array<std::uint8_t, block_values> buffer_;
  std::span<const std::uint8_t> codes_;
};

class Quantised final : public BlockCodec {
 public:
  Quantised(std::uint64_t values, unsigned bits) : BlockCodec(values), bits_(bits) {}

 protected:
  std::size_t block_bytes(std::size_t values) const override { return uniform_bytes(values, bits_); }
  void encode_block(std::span<const float> values, std::uint64_t block, const Context& context,
                    std::span<std::byte> out) const override {
    encode_uniform(values, bits_, OneBit::random, mix(context.seeds.rounding, block), context.magnitude_max,
                   out);
  }
  bool check_block(std::span<const std::byte> bytes, std::size_t values,
                   const Context& context) const override {
    return check_uniform(bytes, values, bits_, context.limit());
  }
  void decode_block(std::span<const std::byte> bytes, std::uint64_t /*block*/, const Context& /*context*/,
                    std::span<float> out) const override {
    decode_uniform(bytes, bits_, out);
  }
  void fold_block(std::span<const std::byte> bytes, std::uint64_t /*block*/, const Context& /*context*/,
                  double factor, std::span<std::int64_t> sums) const override {
    fold_uniform(bytes, bits_, factor, sums);
  }
  double block_squares(std::span<const std::byte> bytes, std::uint64_t /*block*/, const Context& /*context*/,
                       std::size_t values) const override {
    return squares_of_uniform(bytes, bits_, values);
  }

 private:
  unsigned bits_;
};

}  // namespace

std::unique_ptr<SegmentCodec> make_quantised(std::uint64_t values, unsigned bits) {
  return std::make_unique<Quantised>(values, bits);
}

std::size_t uniform_bytes(std::size_t values, unsigned bits) {
  return groups_of(values) * sizeof(float) + kernels::packed_code_bytes(values, bits);
}

void encode_uniform(std::span<const float> values, unsigned bits, OneBit one_bit, std::uint64_t seed,
                    float magnitude_max, std::span<std::byte> out) {
  alignas(64) std::array<std::uint8_t, block_values> codes;
  const std::size_t groups = groups_of(values.size());
  for (std::size_t g = 0; g < groups; ++g) {
    const auto group =
        values.subspan(g * group_values, std::min(group_values, values.size() - g * group_values));
    const auto to = std::span(codes).subspan(g * group_values, group.size());
    const bool nearest = bits == 1 && one_bit == OneBit::sign;
    float largest = 0;
    if (nearest) {
      double sum = 0;
      for (const float value : group) sum += std::fabs(static_cast<double>(value));
      largest = static_cast<float>(sum / static_cast<double>(group.size()));
    } else {
      largest = kernels::largest_magnitude(group);
    }
    largest = std::min(largest, magnitude_max);
    float scale = 0, inverse = 0;
    if (largest > magnitude_min) {
      scale = largest / levels_of(bits);
      inverse = 0.5F / scale;
    }
    // With the scale 0, nearest rounding gives the same code everywhere, which compresses well.
    if (nearest || scale == 0) kernels::quantise_nearest(group, inverse, bits, to);
    else kernels::quantise_random(group, inverse, bits, mix(seed, g), to);
    store(out, g * sizeof(float), scale);
  }
  kernels::pack_codes(std::span(codes).first(values.size()), bits,
                      octets(out.subspan(groups * sizeof(float))));
}

bool check_uniform(std::span<const std::byte> bytes, std::size_t values, unsigned bits, float limit) {
  for (std::size_t g = 0; g < groups_of(values); ++g)
    if (!(std::fabs(load<float>(bytes, g * sizeof(float))) * levels_of(bits) <= limit)) return false;
  return true;
}

void decode_uniform(std::span<const std::byte> bytes, unsigned bits, std::span<float> out) {
  const std::size_t groups = groups_of(out.size());
  const Codes codes(bytes.subspan(groups * sizeof(float)), bits, out.size());
  for (std::size_t g = 0; g < groups; ++g) {
    const auto group = codes.group(g);
    kernels::levels_to_values(group, bits, load<float>(bytes, g * sizeof(float)),
                              out.subspan(g * group_values, group.size()));
  }
}

void fold_uniform(std::span<const std::byte> bytes, unsigned bits, double factor,
                  std::span<std::int64_t> sums) {
  const std::size_t groups = groups_of(sums.size());
  const Codes codes(bytes.subspan(groups * sizeof(float)), bits, sums.size());
  for (std::size_t g = 0; g < groups; ++g) {
    const auto group = codes.group(g);
    kernels::add_levels(sums.subspan(g * group_values, group.size()), group, bits,
                        static_cast<double>(load<float>(bytes, g * sizeof(float))) * factor);
  }
}

double squares_of_uniform(std::span<const std::byte> bytes, unsigned bits, std::size_t values) {
  const std::size_t groups = groups_of(values);
  const Codes codes(bytes.subspan(groups * sizeof(float)), bits, values);
  double out = 0;
  for (std::size_t g = 0; g < groups; ++g) {
    const double scale = load<float>(bytes, g * sizeof(float));
    out += scale * scale * static_cast<double>(kernels::sum_of_squared_levels(codes.group(g), bits));
  }
  return out;
}

}  // namespace hansa::codecs::internal
