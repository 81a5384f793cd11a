// The operator's decision about devices that ask to join or to change their key: `hansa approve`. Either here, with the root key, or by files that
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

// What waits for a decision.
struct Pending {
  server::Device device;
  std::optional<server::NextKey>
      next;  // the device is admitted and changes to this key; empty: it asks to join
  // The device with the key that is to be certified.
  [[nodiscard]] server::Device asking() const;
};
[[nodiscard]] Result<std::vector<Pending>> pending_requests(server::DeviceRegister& devices);

struct ApprovalTerms {
  std::uint32_t days = 400;
  std::optional<secure_aggregation::IdentityKey> identity =
      {};  // of the only device, as read on the device itself
};
// Certifies pending devices and next keys, and admits them. Fails (usage) at the first name that does not wait for
// approval, and (refused) if the register has another identity than `identity`.
[[nodiscard]] Result<std::vector<Pending>> approve_devices(const server::FederationConfig& config,
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

// A pending device is denied for ever. A next key, also one that is certified, is refused, and the device keeps its present
// key. Fails (usage) if nothing waits under this name.
[[nodiscard]] Result<void> deny_device(const server::FederationConfig& config, const std::string& name,
                                       server::DeviceRegister& devices, const server::Acting& acting);

// Adds the request of a device's file, which then waits like one that came through the enrolment port. Fails as
// server::take_rotation() does. config names a root key.
[[nodiscard]] Result<Pending> add_rotation(const server::FederationConfig& config,
                                           const std::filesystem::path& file, server::DeviceRegister& devices,
                                           const server::Acting& acting);

}  // namespace hansa::tools
