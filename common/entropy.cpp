#include "common/entropy.h"

#include <openssl/rand.h>

namespace hansa {

Result<std::uint64_t> unpredictable_number() {
  std::uint64_t out = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&out), sizeof out) != 1)
    return fail(ErrorCode::internal, "OpenSSL", "gives no random bytes");
  return out;
}

}  // namespace hansa
