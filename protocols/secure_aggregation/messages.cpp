#include "protocols/secure_aggregation/messages.h"

#include <bit>

namespace hansa::secure_aggregation {

Result<Subset> Subset::of(std::size_t size, std::vector<std::uint8_t> bits) {
  Subset out(size);
  const bool beyond = size % 8 != 0 && bits.size() == out.bits_.size() && bits.back() >> (size % 8) != 0;
  if (bits.size() != out.bits_.size() || beyond)
    return fail(ErrorCode::protocol, "set of clients",
                "is not a subset of " + std::to_string(size) + " clients");
  out.bits_ = std::move(bits);
  return out;
}

std::size_t Subset::count() const {
  std::size_t out = 0;
  for (const std::uint8_t byte : bits_) out += static_cast<std::size_t>(std::popcount(byte));
  return out;
}

std::size_t Subset::count_of(const std::vector<Position>& clients) const {
  std::size_t out = 0;
  for (const Position client : clients) out += has(client) ? 1 : 0;
  return out;
}

}  // namespace hansa::secure_aggregation
