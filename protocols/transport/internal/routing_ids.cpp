#include "protocols/transport/internal/routing_ids.h"

#include <cstdlib>

#include "common/entropy.h"

namespace hansa::transport {

Result<void> make_routing_ids_unpredictable() {
  HANSA_TRY(const std::uint64_t seed, unpredictable_number());
  std::srand(static_cast<unsigned>(seed));
  return {};
}

}  // namespace hansa::transport
