// f32, f16, bf16: each value is encoded on its own.
#include <algorithm>
#include <array>

#include "common/kernels/fold.h"
#include "protocols/codecs/internal/half.h"
#include "protocols/codecs/internal/kinds.h"

namespace hansa::codecs::internal {
namespace {

class Floats final : public BlockCodec {
 public:
  Floats(std::uint64_t values, Kind kind) : BlockCodec(values), kind_(kind) {}

 protected:
  std::size_t block_bytes(std::size_t values) const override { return values * (kind_ == Kind::f32 ? 4 : 2); }

  void encode_block(std::span<const float> values, std::uint64_t /*block*/, const Context& /*context*/,
                    std::span<std::byte> out) const override {
    if (kind_ == Kind::f32) {
      std::memcpy(out.data(), values.data(), values.size_bytes());
      return;
    }
    std::array<std::uint16_t, block_values> halves;
    if (kind_ == Kind::f16) std::transform(values.begin(), values.end(), halves.begin(), to_f16);
    else std::transform(values.begin(), values.end(), halves.begin(), to_bf16);
    std::memcpy(out.data(), halves.data(), values.size() * 2);
  }

  bool check_block(std::span<const std::byte> bytes, std::size_t values,
                   const Context& context) const override {
    alignas(64) std::array<float, block_values> buffer;
    const auto decoded = std::span(buffer).first(values);
    decode_block(bytes, 0, context, decoded);
    return kernels::first_outside(decoded, context.limit()) == values;
  }

  void decode_block(std::span<const std::byte> bytes, std::uint64_t /*block*/, const Context& /*context*/,
                    std::span<float> out) const override {
    if (kind_ == Kind::f32) {
      std::memcpy(out.data(), bytes.data(), out.size_bytes());
      return;
    }
    std::array<std::uint16_t, block_values> halves;
    std::memcpy(halves.data(), bytes.data(), out.size() * 2);
    const auto end = halves.begin() + static_cast<std::ptrdiff_t>(out.size());
    if (kind_ == Kind::f16) std::transform(halves.begin(), end, out.begin(), from_f16);
    else std::transform(halves.begin(), end, out.begin(), from_bf16);
  }

 private:
  Kind kind_;
};

}  // namespace

std::unique_ptr<SegmentCodec> make_floats(std::uint64_t values, Kind kind) {
  return std::make_unique<Floats>(values, kind);
}

}  // namespace hansa::codecs::internal
