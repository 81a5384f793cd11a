// EF-signSGD: Karimireddy, Rebjock, Stich, Jaggi, "Error Feedback Fixes SignSGD and other Gradient Compression Schemes"
// (ICML 2019), algorithm 1, applied to blocks: [mean magnitude, float32][signs].
#include <algorithm>
#include <array>
#include <cmath>

#include "common/kernels/fold.h"
#include "common/kernels/levels.h"
#include "protocols/codecs/internal/kinds.h"

namespace hansa::codecs::internal {
namespace {

class Sign final : public BlockCodec {
 public:
  using BlockCodec::BlockCodec;

 protected:
  std::size_t block_bytes(std::size_t values) const override {
    return sizeof(float) + kernels::packed_code_bytes(values, 1);
  }
  void encode_block(std::span<const float> values, std::uint64_t /*block*/, const Context& context,
                    std::span<std::byte> out) const override {
    double sum = 0;
    for (const float value : values) sum += std::fabs(static_cast<double>(value));
    const auto mean = static_cast<float>(sum / static_cast<double>(values.size()));
    store(out, 0, std::min(mean, context.magnitude_max));
    alignas(64) std::array<std::uint8_t, block_values> codes;
    for (std::size_t i = 0; i < values.size(); ++i) codes[i] = values[i] < 0 ? 0 : 1;
    kernels::pack_codes(std::span(codes).first(values.size()), 1, octets(out.subspan(sizeof(float))));
  }
  bool check_block(std::span<const std::byte> bytes, std::size_t /*values*/,
                   const Context& context) const override {
    return std::fabs(load<float>(bytes)) <= context.limit();
  }
  void decode_block(std::span<const std::byte> bytes, std::uint64_t /*block*/, const Context& /*context*/,
                    std::span<float> out) const override {
    alignas(64) std::array<std::uint8_t, block_values> codes;
    kernels::unpack_codes(octets(bytes.subspan(sizeof(float))), 1, std::span(codes).first(out.size()));
    kernels::levels_to_values(std::span(codes).first(out.size()), 1, load<float>(bytes), out);
  }
  void fold_block(std::span<const std::byte> bytes, std::uint64_t /*block*/, const Context& /*context*/,
                  double factor, std::span<std::int64_t> sums) const override {
    alignas(64) std::array<std::uint8_t, block_values> codes;
    kernels::unpack_codes(octets(bytes.subspan(sizeof(float))), 1, std::span(codes).first(sums.size()));
    kernels::add_levels(sums, std::span(codes).first(sums.size()), 1,
                        static_cast<double>(load<float>(bytes)) * factor);
  }
  double block_squares(std::span<const std::byte> bytes, std::uint64_t /*block*/, const Context& /*context*/,
                       std::size_t values) const override {
    const double magnitude = load<float>(bytes);
    return magnitude * magnitude * static_cast<double>(values);
  }
};

}  // namespace

std::unique_ptr<SegmentCodec> make_sign(std::uint64_t values) { return std::make_unique<Sign>(values); }

}  // namespace hansa::codecs::internal
