// NAME.pub: the public keys that a device gives to the operator, and the operator's certificate.
//
//   # Hansa public key (CURVE25519, Z85)
//   <40 characters of Z85>               the transport key, with which the aggregator admits the device
//   identity <64 hex digits>             the Ed25519 key, with which other clients identify it (identity.h)
//   certificate <128 hex digits>         the operator's signature of federation, name and identity
//
// The last two lines are needed only for secure aggregation.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "common/error.h"
#include "protocols/secure_aggregation/identity.h"
#include "protocols/transport/keys.h"

namespace hansa::enrolment {

struct DeviceFile {
  transport::PublicKey key;
  std::optional<secure_aggregation::IdentityKey> identity;
  std::optional<secure_aggregation::Signature> certificate;
};

[[nodiscard]] Result<DeviceFile> read_device_file(const std::filesystem::path& path);
[[nodiscard]] Result<void> write_device_file(const DeviceFile& device, const std::filesystem::path& path);
// The file of a new device, without a certificate.
[[nodiscard]] Result<DeviceFile> describe(const transport::SecretKey& secret);

// A device has one secret: its identity is derived from its transport key. The root's identity is derived in the same
// way.
[[nodiscard]] Result<secure_aggregation::SigningKey> identity_of(const transport::SecretKey& secret);

// The location is that of errors ("client.toml:20: secure_aggregation.root").
[[nodiscard]] Result<secure_aggregation::IdentityKey> parse_identity(std::string_view text,
                                                                     std::string_view location);
[[nodiscard]] std::string text_of(const secure_aggregation::IdentityKey& identity);

// The certificate in folder/CLIENT.pub. Fails with `usage` if there is none, with `refused` if the root did not sign
// it.
[[nodiscard]] Result<secure_aggregation::Certificate> read_certificate(
    const std::filesystem::path& folder, const std::string& client, std::string_view federation,
    const secure_aggregation::IdentityKey& root);
// Signs the file CLIENT.pub with the root key and writes the certificate to it.
[[nodiscard]] Result<void> certify_file(const std::filesystem::path& file, std::string_view federation,
                                        const secure_aggregation::SigningKey& root);

}  // namespace hansa::enrolment
