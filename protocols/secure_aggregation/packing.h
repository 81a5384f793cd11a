// Packs ring elements into words of `bits` bits without gaps, the form in which they are sent.
//
// Word i takes the bits i * bits to (i + 1) * bits - 1 of the message; bit j of the message is bit j % 8 of byte j / 8.
// The remaining bits of the last byte are zero.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "common/error.h"

namespace hansa::secure_aggregation {

// The smallest number of bits for which the sum of `clients` words of at most `largest` does not overflow the ring:
// clients * largest < 2^bits.
[[nodiscard]] unsigned ring_bits(std::uint32_t clients, std::uint32_t largest) noexcept;

[[nodiscard]] constexpr std::size_t packed_bytes(std::size_t words, unsigned bits) noexcept {
  return (words * bits + 7) / 8;
}

// The values are below 2^bits, 1 <= bits <= 32; out has packed_bytes(values.size(), bits) bytes.
void pack(std::span<const std::uint32_t> values, unsigned bits, std::span<std::byte> out) noexcept;

// Adds the words to `sum` modulo 2^32; reduced modulo 2^bits it is the sum on the ring. Fails with `protocol`, leaving
// `sum` unchanged, if the message does not have packed_bytes(sum.size(), bits) bytes or a bit after its last word is
// set.
[[nodiscard]] Result<void> unpack_add(std::span<const std::byte> message, unsigned bits,
                                      std::span<std::uint32_t> sum);

}  // namespace hansa::secure_aggregation
