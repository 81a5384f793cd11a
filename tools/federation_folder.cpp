#include "tools/federation_folder.h"

#include <unistd.h>

#include "protocols/enrolment/device_file.h"
#include "protocols/transport/keys.h"
#include "server/config/devices_config.h"
#include "server/enrolment/admitted_folder.h"

namespace hansa::tools {

namespace fs = std::filesystem;

Result<server::FederationConfig> read_federation_folder(const fs::path& folder) {
  const fs::path file = folder / "federation.toml";
  std::error_code error;
  if (!fs::exists(file, error))
    return fail(ErrorCode::usage, folder.string(),
                "is no folder of a federation: it holds no federation.toml",
                "name the folder that \"hansa new\" made: --folder DIR");
  HANSA_TRY(const auto variables, server::read_federation_variables(environ));
  return server::read_federation_config(file, variables);
}

Result<secure_aggregation::SigningKey> read_operator_key(const server::FederationConfig& config,
                                                         const fs::path& folder, const fs::path& named) {
  const fs::path file = named.empty() ? folder / "keys" / "root.key" : named;
  std::error_code error;
  if (!fs::exists(file, error))
    return fail(ErrorCode::usage, file.string(), "is missing, and the client needs a certificate",
                "name the operator's secret root key: --root FILE");
  HANSA_TRY(const transport::SecretKey secret, transport::read_secret_key(file));
  HANSA_TRY(secure_aggregation::SigningKey root, enrolment::identity_of(secret));
  if (config.root && *config.root != root.public_key())
    return fail(ErrorCode::usage, file.string(), "is not the root key that federation.toml names",
                "its identity is " + enrolment::text_of(root.public_key()));
  return root;
}

Result<server::DeviceRegister> open_register(const server::FederationConfig& config,
                                             const server::Acting& acting) {
  HANSA_TRY(const auto devices_config, server::read_devices_config(config.file, config.variables));
  HANSA_TRY(server::DeviceRegister devices, server::DeviceRegister::open(devices_config.device_register));
  HANSA_TRY(const auto listed, server::list_admitted(config.admitted));
  HANSA_TRY_VOID(devices.match_folder(listed, acting));
  return devices;
}

Result<server::DeviceHistory> open_history(const server::FederationConfig& config) {
  HANSA_TRY(const auto devices_config, server::read_devices_config(config.file));
  return server::DeviceHistory::open(devices_config.device_register);
}

}  // namespace hansa::tools
