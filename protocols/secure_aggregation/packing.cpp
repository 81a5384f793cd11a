#include "protocols/secure_aggregation/packing.h"

#include <bit>
#include <cassert>
#include <cstring>
#include <string>

namespace hansa::secure_aggregation {
namespace {

static_assert(std::endian::native == std::endian::little, "words are loaded and stored in wire order");

// A group of 32 words begins and ends at a byte boundary whatever their size; it has 4 * bits bytes.
constexpr std::size_t group = 32;

}  // namespace

unsigned ring_bits(std::uint32_t clients, std::uint32_t largest) noexcept {
  return static_cast<unsigned>(std::bit_width(std::uint64_t{clients} * largest));
}

void pack(std::span<const std::uint32_t> values, unsigned bits, std::span<std::byte> out) noexcept {
  assert(bits >= 1 && bits <= 32 && out.size() == packed_bytes(values.size(), bits));
  std::uint64_t pending = 0;
  unsigned pending_bits = 0;
  std::byte* to = out.data();
  for (const std::uint32_t value : values) {
    pending |= std::uint64_t{value} << pending_bits;
    pending_bits += bits;
    if (pending_bits >= 32) {
      const auto word = static_cast<std::uint32_t>(pending);
      std::memcpy(to, &word, sizeof word);
      to += sizeof word;
      pending >>= 32;
      pending_bits -= 32;
    }
  }
  for (; to != out.data() + out.size(); pending >>= 8) *to++ = static_cast<std::byte>(pending);
}

Result<void> unpack_add(std::span<const std::byte> message, unsigned bits, std::span<std::uint32_t> sum) {
  assert(bits >= 1 && bits <= 32);
  if (message.size() != packed_bytes(sum.size(), bits))
    return fail(ErrorCode::protocol, "masked vector",
                "has " + std::to_string(message.size()) + " bytes instead of " +
                    std::to_string(packed_bytes(sum.size(), bits)));
  const std::size_t used = sum.size() * bits % 8;
  if (used != 0 && std::to_integer<unsigned>(message.back()) >> used != 0)
    return fail(ErrorCode::protocol, "masked vector", "has bits set after its last word");

  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  // A word lies within the eight bytes from the byte in which it begins. Whole groups are read in this way as long as
  // these eight bytes are within the message.
  std::size_t fast = 0;
  for (; fast + group <= sum.size() && (fast + group) * bits / 8 + 8 <= message.size(); fast += group) {
    const std::byte* from = message.data() + fast * bits / 8;
    for (std::size_t i = 0; i < group; ++i) {
      std::uint64_t word = 0;
      std::memcpy(&word, from + i * bits / 8, sizeof word);
      sum[fast + i] += static_cast<std::uint32_t>(word >> (i * bits % 8) & mask);
    }
  }
  std::uint64_t pending = 0;
  unsigned pending_bits = 0;
  const std::byte* from = message.data() + fast * bits / 8;
  for (std::size_t i = fast; i < sum.size(); ++i) {
    for (; pending_bits < bits; pending_bits += 8)
      pending |= std::to_integer<std::uint64_t>(*from++) << pending_bits;
    sum[i] += static_cast<std::uint32_t>(pending & mask);
    pending >>= bits;
    pending_bits -= bits;
  }
  return {};
}

}  // namespace hansa::secure_aggregation
