#include "protocols/secure_aggregation/internal/hkdf.h"

#include <array>
#include <exception>
#include <string>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "protocols/secure_aggregation/internal/openssl.h"

namespace hansa::secure_aggregation::internal {

Secret32 hkdf(std::span<const std::uint8_t> key, std::span<const std::uint8_t> salt, std::string_view info) {
  // Fetched once, because that takes longer than the derivation.
  static const Owned<EVP_KDF> algorithm(::EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const Owned<EVP_KDF_CTX> kdf(::EVP_KDF_CTX_new(algorithm.get()));
  const auto octets = [](const char* name, const void* data, std::size_t size) {
    return ::OSSL_PARAM_construct_octet_string(name, const_cast<void*>(data), size);
  };
  std::string digest_name = "SHA256";
  const std::array<OSSL_PARAM, 5> parameters{
      ::OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name.data(), 0),
      octets(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
      octets(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      // OpenSSL refuses an empty salt. By RFC 5869 an omitted salt is one of zeros, which gives the same result.
      salt.empty() ? ::OSSL_PARAM_construct_end() : octets(OSSL_KDF_PARAM_SALT, salt.data(), salt.size()),
      ::OSSL_PARAM_construct_end()};
  Secret32 out;
  // If the derivation failed, the key is all zeros and must not be used: no caller could continue.
  if (!kdf || ::EVP_KDF_derive(kdf.get(), out.bytes().data(), Secret32::size, parameters.data()) != 1)
    std::terminate();
  return out;
}

}  // namespace hansa::secure_aggregation::internal
