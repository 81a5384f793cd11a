// The folder of a federation, in which the operator's commands work: it holds federation.toml.
#pragma once
#include <filesystem>

#include "common/error.h"
#include "server/config/federation_config.h"
#include "server/register/device_history.h"
#include "server/register/device_register.h"

namespace hansa::tools {

// Fails (usage) if there is no federation.toml.
[[nodiscard]] Result<server::FederationConfig> read_federation_folder(const std::filesystem::path& folder);

// The root key of the federation: `file`, or keys/root.key in the folder if that is empty. Fails (usage) if it is missing
// or is not the key that federation.toml names.
[[nodiscard]] Result<secure_aggregation::SigningKey> read_operator_key(const server::FederationConfig& config,
                                                                       const std::filesystem::path& folder,
                                                                       const std::filesystem::path& file);

// The register, after it was compared with the folder of admitted clients. acting: whoever caused the differences.
[[nodiscard]] Result<server::DeviceRegister> open_register(const server::FederationConfig& config,
                                                           const server::Acting& acting);

// What rounds have shown about the devices; in the same file.
[[nodiscard]] Result<server::DeviceHistory> open_history(const server::FederationConfig& config);

}  // namespace hansa::tools
