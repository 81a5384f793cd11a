#include "protocols/secure_aggregation/identity.h"

#include <openssl/rand.h>

#include "protocols/secure_aggregation/internal/hkdf.h"
#include "protocols/secure_aggregation/internal/openssl.h"
#include "common/transcript.h"

namespace hansa::secure_aggregation {
namespace {

using internal::openssl_failed;
using internal::Owned;

const unsigned char* data(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Transcript signed_part(std::string_view federation, const Certificate& c) {
  Transcript out("hansa certificate 2");
  out.text(federation).text(c.client).bytes(c.identity);
  out.number(c.validity.epoch, 4).number(c.validity.issued.value, 8).number(c.validity.expires.value, 8);
  return out;
}

tl::unexpected<Error> outdated(const Certificate& certificate, std::string what, const char* hint) {
  return fail(ErrorCode::refused, "certificate of " + certificate.client, std::move(what), hint,
              {ReasonCode::certificate_outdated, {}});
}

}  // namespace

Result<SigningKey> SigningKey::of(Secret32 seed) {
  const Owned<EVP_PKEY> key(
      ::EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.bytes().data(), Secret32::size));
  SigningKey out;
  std::size_t size = out.public_key_.size();
  if (!key || ::EVP_PKEY_get_raw_public_key(key.get(), out.public_key_.data(), &size) != 1)
    return openssl_failed("refuses an Ed25519 key");
  out.seed_ = std::move(seed);
  return out;
}

Result<SigningKey> SigningKey::generate() {
  Secret32 seed;
  if (::RAND_priv_bytes(seed.bytes().data(), static_cast<int>(Secret32::size)) != 1)
    return openssl_failed("has no random bytes");
  return of(std::move(seed));
}

Result<SigningKey> SigningKey::derive(const Secret32& transport_secret) {
  return of(internal::hkdf(transport_secret.bytes(), {}, "hansa identity 1"));
}

Result<Signature> SigningKey::sign(std::string_view message) const {
  const Owned<EVP_PKEY> key(
      ::EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed_.bytes().data(), Secret32::size));
  const Owned<EVP_MD_CTX> context(::EVP_MD_CTX_new());
  Signature out{};
  std::size_t size = out.size();
  if (!key || !context || ::EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      ::EVP_DigestSign(context.get(), out.data(), &size, data(message), message.size()) != 1)
    return openssl_failed("cannot sign");
  return out;
}

bool verify(const IdentityKey& key, std::string_view message, const Signature& signature) {
  const Owned<EVP_PKEY> public_key(
      ::EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  const Owned<EVP_MD_CTX> context(::EVP_MD_CTX_new());
  return public_key && context &&
         ::EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, public_key.get()) == 1 &&
         ::EVP_DigestVerify(context.get(), signature.data(), signature.size(), data(message),
                            message.size()) == 1;
}

Result<Certificate> certify(const SigningKey& root, std::string_view federation, std::string_view client,
                            const IdentityKey& identity, const Validity& validity) {
  Certificate out{std::string(client), identity, validity, {}};
  HANSA_TRY(out.signature, root.sign(signed_part(federation, out).view()));
  return out;
}

Result<void> check(const Certificate& certificate, std::string_view federation, const IdentityKey& root) {
  if (verify(root, signed_part(federation, certificate).view(), certificate.signature)) return {};
  return fail(ErrorCode::refused, "certificate of " + certificate.client,
              "is not signed by the federation's root key", {}, {ReasonCode::certificate_invalid, {}});
}

Result<void> check_validity(const Certificate& certificate, std::uint32_t epoch, UtcSeconds now) {
  const Validity& validity = certificate.validity;
  if (validity.epoch < epoch)
    return outdated(certificate,
                    "is of epoch " + std::to_string(validity.epoch) + ", and the federation is in epoch " +
                        std::to_string(epoch),
                    "renew it: hansa keys certify --epoch");
  if (now >= validity.expires)
    return outdated(certificate, "expired on " + date_text(validity.expires), "renew it: hansa keys certify");
  return {};
}

}  // namespace hansa::secure_aggregation
