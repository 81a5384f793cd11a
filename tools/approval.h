// The operator's decision about devices that ask to join: `hansa approve`. Either here, with the root key, or by files that
// are carried to the machine that has it.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "protocols/secure_aggregation/identity.h"
#include "server/config/federation_config.h"
#include "server/register/device_register.h"

namespace hansa::tools {

// Certifies pending devices and admits them. Fails (usage) at the first name that does not wait for approval, and
// (refused) if the register has another identity than `identity`.
struct ApprovalTerms {
  std::uint32_t days = 400;
  std::optional<secure_aggregation::IdentityKey> identity =
      {};  // of the only device, as read on the device itself
};
[[nodiscard]] Result<std::vector<server::Device>> approve_devices(const server::FederationConfig& config,
                                                                  const std::vector<std::string>& names,
                                                                  const secure_aggregation::SigningKey& root,
                                                                  const ApprovalTerms& terms,
                                                                  server::DeviceRegister& devices,
                                                                  const server::Acting& acting);

// Writes NAME.pub of each pending device to `to`, which is made if it is missing. `hansa keys certify` signs them. Returns
// the names.
[[nodiscard]] Result<std::vector<std::string>> export_requests(const std::filesystem::path& to,
                                                               server::DeviceRegister& devices);
// Admits the pending devices whose files in `from` are certified by the federation's root key. Fails (refused) at the first
// certificate that does not hold, or is for another key than the device's; files of devices that do not wait are left out.
[[nodiscard]] Result<std::vector<std::string>> import_certificates(const server::FederationConfig& config,
                                                                   const std::filesystem::path& from,
                                                                   server::DeviceRegister& devices,
                                                                   const server::Acting& acting);

[[nodiscard]] Result<void> deny_device(const std::string& name, server::DeviceRegister& devices,
                                       const server::Acting& acting);

}  // namespace hansa::tools
