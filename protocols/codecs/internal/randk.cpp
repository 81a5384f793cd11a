// Random coordinates, the same for the whole cohort: Konecny, McMahan, Yu, Richtarik, Suresh, Bacon, "Federated
// Learning: Strategies for Improving Communication Efficiency" (2016), section 3.2. The sampled values are divided by
// the fraction and encoded as in uniform.h.
#include <algorithm>
#include <array>

#include "protocols/codecs/internal/coordinates.h"
#include "protocols/codecs/internal/kinds.h"
#include "protocols/codecs/internal/uniform.h"

namespace hansa::codecs::internal {
namespace {

class RandK final : public BlockCodec {
 public:
  RandK(std::uint64_t values, double fraction, unsigned bits)
      : BlockCodec(values), fraction_(fraction), bits_(bits) {}

 protected:
  std::size_t block_bytes(std::size_t values) const override {
    return uniform_bytes(sampled_count(values, fraction_), bits_);
  }
  void encode_block(std::span<const float> values, std::uint64_t block, const Context& context,
                    std::span<std::byte> out) const override {
    const std::size_t k = sampled_count(values.size(), fraction_);
    const float weight = static_cast<float>(values.size()) / static_cast<float>(k);
    alignas(64) std::array<float, block_values> buffer;
    SampledCoordinates coordinates(context.seeds.cohort, block, values.size());
    for (std::size_t i = 0; i < k; ++i)
      buffer[i] =
          std::clamp(values[coordinates.next()] * weight, -context.magnitude_max, context.magnitude_max);
    encode_uniform(std::span(buffer).first(k), bits_, OneBit::random, mix(context.seeds.rounding, block),
                   context.magnitude_max, out);
  }
  bool check_block(std::span<const std::byte> bytes, std::size_t values,
                   const Context& context) const override {
    return check_uniform(bytes, sampled_count(values, fraction_), bits_, context.limit());
  }
  void decode_block(std::span<const std::byte> bytes, std::uint64_t block, const Context& context,
                    std::span<float> out) const override {
    const std::size_t k = sampled_count(out.size(), fraction_);
    alignas(64) std::array<float, block_values> buffer;
    decode_uniform(bytes, bits_, std::span(buffer).first(k));
    std::fill(out.begin(), out.end(), 0.0F);
    SampledCoordinates coordinates(context.seeds.cohort, block, out.size());
    for (std::size_t i = 0; i < k; ++i) out[coordinates.next()] = buffer[i];
  }

  double block_squares(std::span<const std::byte> bytes, std::uint64_t /*block*/, const Context& /*context*/,
                       std::size_t values) const override {
    return squares_of_uniform(bytes, bits_, sampled_count(values, fraction_));
  }

 private:
  double fraction_;
  unsigned bits_;
};

}  // namespace

std::unique_ptr<SegmentCodec> make_randk(std::uint64_t values, double fraction, unsigned bits) {
  return std::make_unique<RandK>(values, fraction, bits);
}

}  // namespace hansa::codecs::internal
