// The devices of a federation: GET /devices, and what the operator does with them. Each act is in the audit log, with the
// actor "dashboard".
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "common/error.h"
#include "common/utc.h"
#include "server/config/devices_config.h"
#include "server/config/federation_config.h"
#include "server/http/message.h"
#include "server/monitor/live_state.h"
#include "server/register/device_history.h"
#include "server/register/device_register.h"

namespace hansa::server::internal {

class DeviceRoutes {
 public:
  // Fails (usage) if the configuration's part about devices cannot be read.
  [[nodiscard]] static Result<DeviceRoutes> create(const FederationConfig& config);

  // Whether there is a register: the aggregator makes it.
  [[nodiscard]] bool has_register() const;
  [[nodiscard]] bool has_enrolment() const { return devices_config_.enrolment.has_value(); }

  // Device[]. live: null if no aggregator runs in this process.
  [[nodiscard]] Result<std::string> list(UtcSeconds now, const LiveState* live);
  // The text of a `Device` without its closing brace. Empty: there is no such device.
  [[nodiscard]] Result<std::optional<std::string>> find(const std::string& name, UtcSeconds now,
                                                        const LiveState* live);
  enum class Act : std::uint8_t { quarantine, release, revoke };
  // The device exists.
  [[nodiscard]] Result<void> act(Act act, const std::string& name, const std::string& reason, UtcSeconds now);

  struct Invited {
    std::string token;
    UtcSeconds expires;
  };
  [[nodiscard]] Result<Invited> invite(std::uint32_t uses, std::uint64_t seconds, const std::string& label,
                                       UtcSeconds now);
  // For an act that changes no device.
  [[nodiscard]] Result<void> record(const std::string& act, const std::string& subject, UtcSeconds now);

 private:
  struct Files {
    DeviceRegister devices;
    DeviceHistory history;
  };
  DeviceRoutes(const FederationConfig& config, DevicesConfig devices)
      : config_(config), devices_config_(std::move(devices)) {}
  [[nodiscard]] Result<Files*> open();

  const FederationConfig& config_;
  DevicesConfig devices_config_;
  std::unique_ptr<Files> files_;
};

}  // namespace hansa::server::internal
