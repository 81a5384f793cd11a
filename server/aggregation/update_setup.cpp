#include "server/aggregation/update_setup.h"

#include "protocols/secure_aggregation/packing.h"

namespace hansa::server {

UpdateSizes float32_update_sizes(std::uint64_t elements) {
  const std::uint64_t bytes = elements * sizeof(float);
  return {bytes, bytes};
}

UpdateSizes encoded_update_sizes(const codecs::Plan& plan) { return {1, plan.encoded_bytes_max()}; }

UpdateSizes masked_update_sizes(std::size_t elements, unsigned ring_bits) {
  const std::uint64_t bytes = secure_aggregation::packed_bytes(elements, ring_bits);
  return {bytes, bytes};
}

}  // namespace hansa::server
