#include "protocols/codecs/internal/segment_codec.h"

#include <algorithm>
#include <array>
#include <bit>

#include "common/kernels/fold.h"
#include "common/kernels/vectors.h"
#include "protocols/codecs/internal/kinds.h"

namespace hansa::codecs::internal {

static_assert(std::endian::native == std::endian::little, "encoded updates are little-endian");

std::unique_ptr<SegmentCodec> make_codec(const Segment& segment) {
  const Spec& spec = segment.spec;
  switch (spec.kind) {
    case Kind::f32:
    case Kind::f16:
    case Kind::bf16: return make_floats(segment.values, spec.kind);
    case Kind::quantised: return make_quantised(segment.values, spec.bits);
    case Kind::rotated: return make_rotated(segment.values, spec.bits);
    case Kind::topk: return make_topk(segment.values, spec.fraction, spec.bits);
    case Kind::randk: return make_randk(segment.values, spec.fraction, spec.bits);
    case Kind::sign: return make_sign(segment.values);
    case Kind::lowrank: return make_lowrank(segment.values, segment.rows, spec.rank);
  }
  return nullptr;
}

std::uint64_t BlockCodec::encoded_bytes_max() const {
  const std::size_t rest = values_ % block_values;
  return values_ / block_values * block_bytes(block_values) + (rest > 0 ? block_bytes(rest) : 0);
}

bool BlockCodec::encode(std::span<const float> values, std::span<const float> /*state*/,
                        std::span<float> /*next_state*/, const Context& context,
                        std::vector<std::byte>& out) const {
  for (std::size_t first = 0; first < values.size(); first += block_values) {
    const auto block = values.subspan(first, std::min(block_values, values.size() - first));
    // Checked block by block, so that the block is in the cache when it is encoded.
    if (kernels::first_outside(block, context.input_max) != block.size()) return false;
    const std::size_t at = out.size();
    out.resize(at + block_bytes(block.size()));
    encode_block(block, first / block_values, context, std::span(out).subspan(at));
  }
  return true;
}

template <class Visit>
void BlockCodec::visit_blocks(std::span<const std::byte> body, std::uint64_t first, std::uint64_t last,
                              const Visit& visit) const {
  const std::size_t whole = block_bytes(block_values);
  const std::uint64_t begin = (first + block_values - 1) / block_values;
  for (std::uint64_t number = begin; number * block_values < std::min(last, values_); ++number) {
    const std::uint64_t at = number * block_values;
    const auto values = static_cast<std::size_t>(std::min<std::uint64_t>(block_values, values_ - at));
    visit(Block{number, at, values, body.subspan(number * whole, block_bytes(values))});
  }
}

std::optional<std::size_t> BlockCodec::check(std::span<const std::byte> bytes, const Context& context) const {
  const std::uint64_t size = encoded_bytes_max();
  if (bytes.size() < size) return std::nullopt;
  bool valid = true;
  visit_blocks(bytes, 0, values_,
               [&](const Block& block) { valid = valid && check_block(block.bytes, block.values, context); });
  if (!valid) return std::nullopt;
  return size;
}

void BlockCodec::fold(std::span<const std::byte> body, const Context& context, std::uint64_t first,
                      std::uint64_t last, double factor, std::span<std::int64_t> sums) const {
  visit_blocks(body, first, last, [&](const Block& block) {
    fold_block(block.bytes, block.number, context, factor, sums.subspan(block.first, block.values));
  });
}

void BlockCodec::fold_block(std::span<const std::byte> bytes, std::uint64_t block, const Context& context,
                            double factor, std::span<std::int64_t> sums) const {
  alignas(64) std::array<float, block_values> buffer;
  const auto values = std::span(buffer).first(sums.size());
  decode_block(bytes, block, context, values);
  kernels::add_scaled(sums, values, factor);
}

void BlockCodec::accumulate(std::span<const std::byte> body, const Context& context, std::uint64_t first,
                            std::uint64_t last, float sign, std::span<float> out) const {
  alignas(64) std::array<float, block_values> buffer;
  visit_blocks(body, first, last, [&](const Block& block) {
    const auto values = std::span(buffer).first(block.values);
    decode_block(block.bytes, block.number, context, values);
    kernels::add_values(out.subspan(block.first, block.values), values, sign);
  });
}

double BlockCodec::squares(std::span<const std::byte> body, const Context& context, std::uint64_t first,
                           std::uint64_t last) const {
  double out = 0;
  visit_blocks(body, first, last, [&](const Block& block) {
    out += block_squares(block.bytes, block.number, context, block.values);
  });
  return out;
}

double BlockCodec::block_squares(std::span<const std::byte> bytes, std::uint64_t block,
                                 const Context& context, std::size_t values) const {
  alignas(64) std::array<float, block_values> buffer;
  const auto decoded = std::span(buffer).first(values);
  decode_block(bytes, block, context, decoded);
  return kernels::sum_of_squares(decoded);
}

}  // namespace hansa::codecs::internal
