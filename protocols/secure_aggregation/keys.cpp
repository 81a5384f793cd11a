#include "protocols/secure_aggregation/keys.h"

#include <string>

#include "protocols/secure_aggregation/internal/hkdf.h"
#include "protocols/secure_aggregation/internal/openssl.h"

namespace hansa::secure_aggregation {
namespace {

using internal::openssl_failed;
using Key = internal::Owned<EVP_PKEY>;

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
  if (!key) return openssl_failed("cannot generate a key");
  KeyPair out;
  std::size_t secret_size = Secret32::size, public_size = out.public_key.size();
  if (::EVP_PKEY_get_raw_private_key(key.get(), out.secret.bytes().data(), &secret_size) != 1 ||
      ::EVP_PKEY_get_raw_public_key(key.get(), out.public_key.data(), &public_size) != 1)
    return openssl_failed("cannot export a key");
  return out;
}

Result<PublicKey> public_key_of(const Secret32& secret) {
  const Key key = private_key(secret);
  PublicKey out{};
  std::size_t size = out.size();
  if (!key || ::EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size) != 1)
    return openssl_failed("cannot compute a public key");
  return out;
}

Result<Secret32> agree(const Secret32& mine, const PublicKey& theirs) {
  const Key own = private_key(mine);
  const Key other(::EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, theirs.data(), theirs.size()));
  if (!own || !other) return openssl_failed("refuses a raw key");
  const internal::Owned<EVP_PKEY_CTX> context(::EVP_PKEY_CTX_new(own.get(), nullptr));
  Secret32 out;
  std::size_t size = Secret32::size;
  if (!context || ::EVP_PKEY_derive_init(context.get()) != 1 ||
      ::EVP_PKEY_derive_set_peer(context.get(), other.get()) != 1)
    return openssl_failed("cannot start a key agreement");
  // OpenSSL should refuse an all-zero result (RFC 7748, section 6.1). It is checked here too, so that no version of
  // OpenSSL has to be relied on.
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
  return internal::hkdf(shared.bytes(), context.bytes, info);
}

}  // namespace hansa::secure_aggregation
