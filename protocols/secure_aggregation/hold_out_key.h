// The key by which a device chooses the examples that it holds out (learning/hold_out.h). Like everything that a device
// must not reveal to the aggregator, it is derived from the device's one secret: the same after a restart and after the
// loss of the device's state.
#pragma once
#include <cstdint>

#include "protocols/secure_aggregation/identity.h"

namespace hansa::secure_aggregation {

// The first 8 bytes, little-endian, of HKDF-SHA256 of the identity's seed, with an empty salt and the info
// "held-out examples 1".
[[nodiscard]] std::uint64_t hold_out_key(const SigningKey& identity);

}  // namespace hansa::secure_aggregation
