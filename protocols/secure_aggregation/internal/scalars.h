// Scalars in the vector of a client: whole numbers as digits to the base levels + 1, low digits first (quantise.h).
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace hansa::secure_aggregation::internal {

// Most scalars, such as weights, are below 2^scalar_bits.
inline constexpr unsigned scalar_bits = 48;

// The number of digits to the base levels + 1 of a number below 2^bits.
inline std::size_t digits(unsigned bits, std::uint32_t levels) {
  const std::uint64_t base = std::uint64_t{levels} + 1;
  std::size_t out = 1;
  for (std::uint64_t rest = (std::uint64_t{1} << bits) - 1; rest >= base; rest /= base) ++out;
  return out;
}

struct ScalarWriter {
  std::uint32_t levels;
  std::span<std::uint32_t> out;

  void operator()(std::uint64_t value, unsigned bits = scalar_bits) {
    const std::uint64_t base = std::uint64_t{levels} + 1;
    for (std::uint32_t& digit : out.first(digits(bits, levels))) {
      digit = static_cast<std::uint32_t>(value % base);
      value /= base;
    }
    out = out.subspan(digits(bits, levels));
  }
};

struct ScalarReader {
  std::uint32_t levels;
  std::span<const std::uint32_t> from;

  // A digit of a sum is the sum of the clients' digits and may exceed the base. Of digits that no clients can have sent the
  // result is any number.
  std::uint64_t operator()(unsigned bits = scalar_bits) {
    std::uint64_t out = 0, place_value = 1;
    for (const std::uint32_t digit : from.first(digits(bits, levels))) {
      out += digit * place_value;
      place_value *= std::uint64_t{levels} + 1;
    }
    from = from.subspan(digits(bits, levels));
    return out;
  }
};

}  // namespace hansa::secure_aggregation::internal
