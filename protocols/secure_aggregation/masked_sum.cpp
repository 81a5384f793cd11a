#include "protocols/secure_aggregation/masked_sum.h"

#include <algorithm>
#include <cassert>
#include <string>

#include "common/transcript.h"
#include "protocols/secure_aggregation/packing.h"
#include "protocols/secure_aggregation/setup.h"

namespace hansa::secure_aggregation {
namespace {

constexpr std::string_view label = "hansa secagg sum 1";
tl::unexpected<Error> refuse(std::string what) {
  return fail(ErrorCode::protocol, "masked sum", std::move(what));
}

}  // namespace

MaskedSum::MaskedSum(const Digest& context, std::size_t clients, std::size_t elements, unsigned bits,
                     std::vector<std::uint32_t> memory)
    : context_(context), contributors_(clients), bits_(bits), values_(std::move(memory)) {
  assert(bits >= 1 && bits <= ring_bits_max);
  values_.assign(elements, 0);
}

Result<void> MaskedSum::add(Position client, std::span<const std::byte> packed) {
  if (client >= contributors_.size() || contributors_.has(client))
    return refuse("already contains this client");
  HANSA_TRY_VOID(unpack_add(packed, bits_, values_));
  contributors_.insert(client);
  return {};
}

Result<void> MaskedSum::add(const MaskedSum& other) {
  if (other.context_ != context_ || other.contributors_.size() != contributors_.size() ||
      other.bits_ != bits_ || other.values_.size() != values_.size())
    return refuse("belongs to another context");
  Subset both = contributors_;
  for (std::size_t i = 0; i < both.size(); ++i) {
    if (!other.contributors_.has(i)) continue;
    if (both.has(i)) return refuse("contains a client that this one contains too");
    both.insert(i);
  }
  for (std::size_t i = 0; i < values_.size(); ++i) values_[i] += other.values_[i];
  contributors_ = std::move(both);
  return {};
}

Result<std::span<const std::uint32_t>> MaskedSum::unmask(std::span<const MaskTerm> terms, unsigned threads) {
  HANSA_TRY_VOID(apply_masks(values_, terms, bits_, threads));
  return std::span<const std::uint32_t>(values_);
}

std::vector<std::byte> MaskedSum::encode() const {
  Transcript header(label);
  header.bytes(context_.bytes).number(contributors_.size(), 4).bytes(contributors_.bits());
  header.number(bits_, 1).number(values_.size(), 8);
  std::vector<std::uint32_t> reduced = values_;
  reduce(reduced, bits_);
  const auto bytes = std::as_bytes(header.span());
  std::vector<std::byte> out(bytes.size() + packed_bytes(values_.size(), bits_));
  std::ranges::copy(bytes, out.begin());
  pack(reduced, bits_, std::span(out).subspan(bytes.size()));
  return out;
}

Result<MaskedSum> MaskedSum::decode(std::span<const std::byte> bytes) {
  const auto number = [&bytes](unsigned size) -> Result<std::uint64_t> {
    if (bytes.size() < size) return refuse("is truncated");
    std::uint64_t out = 0;
    for (unsigned i = 0; i < size; ++i) out = out << 8 | std::to_integer<std::uint64_t>(bytes[i]);
    bytes = bytes.subspan(size);
    return out;
  };
  HANSA_TRY(const std::uint64_t label_size, number(2));
  Digest context;
  if (label_size != label.size() || bytes.size() < label.size() + context.bytes.size() ||
      !std::ranges::equal(bytes.first(label.size()), std::as_bytes(std::span(label))))
    return refuse("has a wrong label");
  bytes = bytes.subspan(label.size());
  std::ranges::copy(bytes.first(context.bytes.size()),
                    std::as_writable_bytes(std::span(context.bytes)).begin());
  bytes = bytes.subspan(context.bytes.size());
  HANSA_TRY(const std::uint64_t clients, number(4));
  if (clients > clients_max || bytes.size() < (clients + 7) / 8) return refuse("has too many clients");
  std::vector<std::uint8_t> bits((clients + 7) / 8);
  std::ranges::copy(bytes.first(bits.size()), std::as_writable_bytes(std::span(bits)).begin());
  bytes = bytes.subspan(bits.size());
  HANSA_TRY(Subset contributors, Subset::of(clients, std::move(bits)));
  HANSA_TRY(const std::uint64_t ring, number(1));
  HANSA_TRY(const std::uint64_t elements, number(8));
  // The number of elements is checked against the number of bytes before memory is allocated.
  if (ring < 1 || ring > ring_bits_max || elements > bytes.size() * 8) return refuse("has a wrong length");
  MaskedSum out(context, clients, elements, static_cast<unsigned>(ring));
  HANSA_TRY_VOID(unpack_add(bytes, out.bits_, out.values_));
  out.contributors_ = std::move(contributors);
  return out;
}

}  // namespace hansa::secure_aggregation
