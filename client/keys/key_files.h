// The files of a device's key: the key itself, the one to which it changes, the certificate, and what stays the same when the
// key changes.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>

#include "client/config/client_config.h"
#include "common/error.h"
#include "protocols/transport/keys.h"

namespace hansa::client {

// client.key.next: there while the key changes.
[[nodiscard]] std::filesystem::path next_key_file(const ClientConfig& config);
// client.pub: the device's certificate.
[[nodiscard]] std::filesystem::path public_file(const ClientConfig& config);

// The key in the file, or a new one that is written to it, readable by its owner only.
[[nodiscard]] Result<transport::SecretKey> read_or_make_key(const std::filesystem::path& file);

// The key by which the device chooses the examples that it holds out (secure_aggregation::hold_out_key()): that of its first
// key, so that no example that it held out is trained on after a change. The state has it since the first change.
[[nodiscard]] Result<std::uint64_t> hold_out_key_of(const ClientConfig& config,
                                                    const transport::SecretKey& key);
// Writes it to the state, unless it is there. key: the present one.
[[nodiscard]] Result<void> keep_hold_out_key(const ClientConfig& config, const transport::SecretKey& key);

}  // namespace hansa::client
