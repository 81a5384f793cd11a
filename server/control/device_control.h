// What the operator does with devices: `hansa devices revoke | quarantine | release`. A change takes effect at an aggregator
// that runs within a second, because it watches the folder of admitted clients.
#pragma once
#include <string>

#include "common/error.h"
#include "server/config/federation_config.h"
#include "server/register/device_history.h"
#include "server/register/device_register.h"

namespace hansa::server {

// The device's key, and one to which it changes, is refused for ever, and its file is removed. A pending device is denied. Fails (usage) if there is no such device.
[[nodiscard]] Result<void> revoke(const FederationConfig& config, const std::string& name,
                                  const std::string& reason, DeviceRegister& devices, const Acting& acting);
[[nodiscard]] Result<void> quarantine(const FederationConfig& config, const std::string& name,
                                      const std::string& reason, DeviceRegister& devices,
                                      const Acting& acting);

// What a release ended.
struct Released {
  bool quarantine = false;
  bool faults =
      false;  // for which it was left out of cohorts; an aggregator that runs learns it within seconds
};
// Ends the quarantine of a device, and forgets its faults. Fails (usage) if it has neither.
[[nodiscard]] Result<Released> release(const FederationConfig& config, const std::string& name,
                                       DeviceRegister& devices, DeviceHistory& history, const Acting& acting);

}  // namespace hansa::server
