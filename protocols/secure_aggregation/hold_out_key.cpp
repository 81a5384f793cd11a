#include "protocols/secure_aggregation/hold_out_key.h"

#include "protocols/secure_aggregation/internal/hkdf.h"

namespace hansa::secure_aggregation {

std::uint64_t hold_out_key(const SigningKey& identity) {
  const Secret32 derived = internal::hkdf(identity.seed().bytes(), {}, "held-out examples 1");
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < sizeof out; ++i) out |= std::uint64_t{derived.bytes()[i]} << (8 * i);
  return out;
}

}  // namespace hansa::secure_aggregation
