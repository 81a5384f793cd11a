// NAME.pub: the public keys that a device gives to the operator, and the operator's certificate.
//
//   # Hansa public key (CURVE25519, Z85)
//   <40 characters of Z85>               the transport key, with which the aggregator admits the device
//   identity <64 hex digits>             the Ed25519 key, with which other clients identify it (identity.h)
//   certificate <epoch> <issued> <expires> <128 hex digits>
//                                        the operator's signature of federation, name, identity and validity
//                                        (identity.h); the times are seconds since 1970, UTC
//   replaces <40 characters of Z85>      only in NAME.next: the key of the device that this one follows (docs/enrolment.md)
//
// Identity and certificate are needed only for secure aggregation.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/utc.h"
#include "protocols/secure_aggregation/identity.h"
#include "protocols/transport/keys.h"

namespace hansa::enrolment {

struct DeviceFile {
  transport::PublicKey key;
  std::optional<secure_aggregation::IdentityKey> identity;
  struct Certified {
    secure_aggregation::Validity validity;
    secure_aggregation::Signature signature{};
  };
  std::optional<Certified> certificate;
  std::optional<transport::PublicKey> replaces;  // of NAME.next
};

[[nodiscard]] Result<DeviceFile> read_device_file(const std::filesystem::path& path);
[[nodiscard]] Result<void> write_device_file(const DeviceFile& device, const std::filesystem::path& path);
// The file of a new device, without a certificate.
[[nodiscard]] Result<DeviceFile> describe(const transport::SecretKey& secret);

// FILE.next: the secret key that takes the place of the one in FILE, while it changes.
[[nodiscard]] std::filesystem::path next_key_file(const std::filesystem::path& secret_key);

// A device has one secret: its identity is derived from its transport key. The root's identity is derived in the same
// way.
[[nodiscard]] Result<secure_aggregation::SigningKey> identity_of(const transport::SecretKey& secret);

// The location is that of errors ("client.toml:20: secure_aggregation.root").
[[nodiscard]] Result<secure_aggregation::IdentityKey> parse_identity(std::string_view text,
                                                                     std::string_view location);
[[nodiscard]] std::string text_of(const secure_aggregation::IdentityKey& identity);

// What a certificate must be signed by, and for.
struct CertificateScope {
  std::filesystem::path folder;
  std::string federation;
  secure_aggregation::IdentityKey root{};
  std::uint32_t epoch = 1;  // of the federation
  std::optional<secure_aggregation::IdentityKey> other_root = {};  // signs too, while the root key changes
};

// The certificate in folder/CLIENT.pub. Fails with `usage` if there is none, with `refused` if the root did not sign
// it, if it has expired, or if it is of an earlier epoch.
[[nodiscard]] Result<secure_aggregation::Certificate> read_certificate(const CertificateScope& scope,
                                                                       const std::string& client,
                                                                       UtcSeconds now);

inline constexpr std::uint64_t seconds_per_day = 86'400;
// How long the operator certifies a device.
struct CertificateTerm {
  UtcSeconds issued;
  std::uint32_t days = 400;
  std::optional<std::uint32_t> epoch = {};  // empty: that of the present certificate, or else 1
};
// Signs the file CLIENT.pub with the root key and writes the certificate to it, in the place of the present one. Fails
// with `usage` if the epoch is below that of a present one.
[[nodiscard]] Result<secure_aggregation::Validity> certify_file(const std::filesystem::path& file,
                                                                std::string_view federation,
                                                                const secure_aggregation::SigningKey& root,
                                                                const CertificateTerm& term);

}  // namespace hansa::enrolment
