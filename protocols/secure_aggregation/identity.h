// Who a client is to other clients: an Ed25519 key (RFC 8032), certified under its name by the operator's root key.
//
// The transport's keys tell the aggregator who speaks. Clients of one cohort never speak with each other, so that the
// aggregator could invent some: certificates are what they check instead. The root key signs them and is needed for
// nothing else; it belongs on the operator's own machine.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/secret.h"

namespace hansa::secure_aggregation {

using IdentityKey = std::array<std::uint8_t, 32>;  // Ed25519 public key
using Signature = std::array<std::uint8_t, 64>;

// An Ed25519 private key. Wiped when it goes.
class SigningKey {
 public:
  // Fails (internal) only if OpenSSL gives no randomness.
  [[nodiscard]] static Result<SigningKey> generate();
  // Of the 32 bytes of RFC 8032, section 5.1.5.
  [[nodiscard]] static Result<SigningKey> of(Secret32 seed);
  // A device has one secret, its transport key; its identity key is HKDF-SHA256 of it, salt "", info "hansa identity 1".
  [[nodiscard]] static Result<SigningKey> derive(const Secret32& transport_secret);

  [[nodiscard]] const IdentityKey& public_key() const { return public_key_; }
  [[nodiscard]] const Secret32& seed() const { return seed_; }
  [[nodiscard]] Result<Signature> sign(std::string_view message) const;

 private:
  Secret32 seed_;
  IdentityKey public_key_{};
};

[[nodiscard]] bool verify(const IdentityKey& key, std::string_view message, const Signature& signature);

// The operator's word that a client of this name in this federation has this identity key. Public.
struct Certificate {
  std::string client;
  IdentityKey identity{};
  Signature signature{};  // by the root over "hansa certificate 1", federation, client, identity
};
[[nodiscard]] Result<Certificate> certify(const SigningKey& root, std::string_view federation,
                                          std::string_view client, const IdentityKey& identity);
// Fails (refused) unless the root signed exactly this.
[[nodiscard]] Result<void> check(const Certificate& certificate, std::string_view federation,
                                 const IdentityKey& root);

}  // namespace hansa::secure_aggregation
