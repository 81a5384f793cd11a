// Owning pointers to OpenSSL objects, and the error for OpenSSL's failures.
#pragma once
#include <memory>

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "common/error.h"

namespace hansa::secure_aggregation::internal {

struct Free {
  void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { ::EVP_PKEY_CTX_free(context); }
  void operator()(EVP_KDF* kdf) const { ::EVP_KDF_free(kdf); }
  void operator()(EVP_KDF_CTX* context) const { ::EVP_KDF_CTX_free(context); }
  void operator()(EVP_CIPHER_CTX* context) const { ::EVP_CIPHER_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { ::EVP_MD_CTX_free(context); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

inline tl::unexpected<Error> openssl_failed(const char* what) {
  return fail(ErrorCode::internal, "OpenSSL", what);
}

}  // namespace hansa::secure_aggregation::internal
