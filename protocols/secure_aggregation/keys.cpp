#include "protocols/secure_aggregation/keys.h"

#include <array>
#include <exception>
#include <memory>
#include <string>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

namespace hansa::secure_aggregation {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { ::EVP_PKEY_CTX_free(context); }
  void operator()(EVP_KDF* kdf) const { ::EVP_KDF_free(kdf); }
  void operator()(EVP_KDF_CTX* context) const { ::EVP_KDF_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;

tl::unexpected<Error> openssl_failed(const char* what) { return fail(ErrorCode::internal, "OpenSSL", what); }

Key private_key(const Secret32& secret) {
  return Key(::EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.bytes().data(), Secret32::size));
}

const char* text(KeyPurpose purpose) noexcept {
  switch (purpose) {
    case KeyPurpose::pairwise_mask: return "pairwise mask";
    case KeyPurpose::self_mask: return "self mask";
    case KeyPurpose::share_encryption: return "share encryption";
  }
  return "";
}

void append(std::string& info, std::string_view field) {
  info += static_cast<char>(field.size() >> 8 & 0xFF);
  info += static_cast<char>(field.size() & 0xFF);
  info += field;
}

}  // namespace

Result<KeyPair> make_key_pair() {
  const Key key(::EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"));
  if (!key) return openssl_failed("makes no key");
  KeyPair out;
  std::size_t secret_size = Secret32::size, public_size = out.public_key.size();
  if (::EVP_PKEY_get_raw_private_key(key.get(), out.secret.bytes().data(), &secret_size) != 1 ||
      ::EVP_PKEY_get_raw_public_key(key.get(), out.public_key.data(), &public_size) != 1)
    return openssl_failed("gives no raw key");
  return out;
}

Result<PublicKey> public_key_of(const Secret32& secret) {
  const Key key = private_key(secret);
  PublicKey out{};
  std::size_t size = out.size();
  if (!key || ::EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size) != 1)
    return openssl_failed("gives no public key");
  return out;
}

Result<Secret32> agree(const Secret32& mine, const PublicKey& theirs) {
  const Key own = private_key(mine);
  const Key other(::EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, theirs.data(), theirs.size()));
  if (!own || !other) return openssl_failed("takes no raw key");
  const std::unique_ptr<EVP_PKEY_CTX, Free> context(::EVP_PKEY_CTX_new(own.get(), nullptr));
  Secret32 out;
  std::size_t size = Secret32::size;
  if (!context || ::EVP_PKEY_derive_init(context.get()) != 1 ||
      ::EVP_PKEY_derive_set_peer(context.get(), other.get()) != 1)
    return openssl_failed("begins no key agreement");
  // OpenSSL refuses an all-zero result itself (RFC 7748, section 6.1); that it does is not left to its version.
  if (::EVP_PKEY_derive(context.get(), out.bytes().data(), &size) != 1 || size != Secret32::size ||
      out == Secret32())
    return fail(ErrorCode::protocol, "public key", "is a point of low order");
  return out;
}

Secret32 derive_key(const Secret32& shared, const Digest& context, KeyPurpose purpose, std::string_view first,
                    std::string_view second) {
  std::string info = "hansa secagg 1";
  append(info, text(purpose));
  append(info, first);
  append(info, second);
  // Fetched once: it takes longer than the derivation.
  static const std::unique_ptr<EVP_KDF, Free> hkdf(::EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const std::unique_ptr<EVP_KDF_CTX, Free> kdf(::EVP_KDF_CTX_new(hkdf.get()));
  const auto bytes = [](const std::uint8_t* data) { return const_cast<std::uint8_t*>(data); };
  std::string digest_name = "SHA256";
  const std::array<OSSL_PARAM, 5> parameters{
      ::OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name.data(), 0),
      ::OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, bytes(shared.bytes().data()), Secret32::size),
      ::OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, bytes(context.bytes.data()),
                                          context.bytes.size()),
      ::OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      ::OSSL_PARAM_construct_end()};
  Secret32 out;
  // A key that is not derived must never be used as one of zeros: no caller could go on.
  if (!kdf || ::EVP_KDF_derive(kdf.get(), out.bytes().data(), Secret32::size, parameters.data()) != 1)
    std::terminate();
  return out;
}

}  // namespace hansa::secure_aggregation
