#include "common/secret.h"

#include <openssl/crypto.h>

namespace hansa {

void wipe(std::span<std::uint8_t> bytes) noexcept { ::OPENSSL_cleanse(bytes.data(), bytes.size()); }

}  // namespace hansa
