// A client's identity for other clients: an Ed25519 key (RFC 8032), certified with the client's name by the operator's
// root key.
//
// The transport's keys authenticate a client to the aggregator only. The clients of a cohort have no connection to each
// other, so that an aggregator could invent clients; they check certificates instead. The root key signs
// certificates and models (model_manifest.h), nothing else. It belongs on the operator's own machine.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/secret.h"
#include "common/utc.h"

namespace hansa::secure_aggregation {

using IdentityKey = std::array<std::uint8_t, 32>;  // Ed25519 public key
using Signature = std::array<std::uint8_t, 64>;

// An Ed25519 private key. The destructor wipes it.
class SigningKey {
 public:
  // Fails with `internal` only if OpenSSL has no random bytes.
  [[nodiscard]] static Result<SigningKey> generate();
  // The seed is the 32-byte private key of RFC 8032, section 5.1.5.
  [[nodiscard]] static Result<SigningKey> of(Secret32 seed);
  // A device has one secret, its transport key. Its identity key is derived from it by HKDF-SHA256 with an empty salt
  // and the info "hansa identity 1".
  [[nodiscard]] static Result<SigningKey> derive(const Secret32& transport_secret);

  [[nodiscard]] const IdentityKey& public_key() const { return public_key_; }
  [[nodiscard]] const Secret32& seed() const { return seed_; }
  [[nodiscard]] Result<Signature> sign(std::string_view message) const;

 private:
  Secret32 seed_;
  IdentityKey public_key_{};
};

[[nodiscard]] bool verify(const IdentityKey& key, std::string_view message, const Signature& signature);

// For which sums a certificate holds.
struct Validity {
  // The operator raises the federation's epoch to end all earlier certificates at once. From 1.
  std::uint32_t epoch = 1;
  UtcSeconds issued;
  UtcSeconds expires;  // the first second at which it does not hold
  friend bool operator==(const Validity&, const Validity&) = default;
};
// For tests and simulations.
inline constexpr Validity holds_always{1, {}, utc_never};

// The operator's statement that the client of this name in this federation has this identity key. Public.
struct Certificate {
  std::string client;
  IdentityKey identity{};
  Validity validity;
  // The root key's signature of "hansa certificate 2", federation, client, identity, epoch, issued, expires.
  Signature signature{};
};
[[nodiscard]] Result<Certificate> certify(const SigningKey& root, std::string_view federation,
                                          std::string_view client, const IdentityKey& identity,
                                          const Validity& validity);
// Fails with `refused` unless the root key signed exactly this. Does not check the validity.
[[nodiscard]] Result<void> check(const Certificate& certificate, std::string_view federation,
                                 const IdentityKey& root);
// Fails with `refused` if the certificate is of an epoch before `epoch`, or has expired.
[[nodiscard]] Result<void> check_validity(const Certificate& certificate, std::uint32_t epoch,
                                          UtcSeconds now);

}  // namespace hansa::secure_aggregation
