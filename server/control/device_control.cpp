#include "server/control/device_control.h"

#include "common/spelling.h"
#include "server/enrolment/admitted_folder.h"

namespace hansa::server {
namespace {

Result<Device> find_device(const std::string& name, DeviceRegister& devices) {
  HANSA_TRY(auto device, devices.find(name));
  if (device) return std::move(*device);
  HANSA_TRY(const auto all, devices.devices());
  std::vector<std::string> names;
  for (const Device& known : all) names.push_back(known.name);
  const auto near = nearest_word(name, names);
  return fail(ErrorCode::usage, name, "is not a device of this federation",
              near ? "did you mean \"" + *near + "\"?" : "\"hansa devices\" lists the devices");
}

}  // namespace

// The folder first: what decides about connections must not wait for the register.
Result<void> revoke(const FederationConfig& config, const std::string& name, const std::string& reason,
                    DeviceRegister& devices, const Acting& acting) {
  HANSA_TRY(const Device device, find_device(name, devices));
  if (device.state == DeviceState::revoked)
    return fail(ErrorCode::usage, name, "is revoked already", "\"hansa devices\" lists the devices");
  // A key to which the device changes first: the aggregator may be making it the present one.
  HANSA_TRY(const auto next, devices.find_next_key(name));
  if (next) HANSA_TRY_VOID(revoke_key(config.admitted, name, next->key));
  HANSA_TRY_VOID(revoke_key(config.admitted, name, device.key));
  HANSA_TRY_VOID(remove_device(config.admitted, name));
  return devices.set_state(name, DeviceState::revoked, reason, acting);
}

Result<void> quarantine(const FederationConfig& config, const std::string& name, const std::string& reason,
                        DeviceRegister& devices, const Acting& acting) {
  HANSA_TRY(const Device device, find_device(name, devices));
  HANSA_TRY_VOID(quarantine_device(config.admitted, device.name));
  return devices.set_state(name, DeviceState::quarantined, reason, acting);
}

Result<Released> release(const FederationConfig& config, const std::string& name, DeviceRegister& devices,
                         DeviceHistory& history, const Acting& acting) {
  HANSA_TRY(const Device device, find_device(name, devices));
  Released out;
  HANSA_TRY(out.faults, history.release(device.name, acting));
  // A device that is not in quarantine fails here, unless it had faults.
  if (device.state != DeviceState::quarantined && out.faults) return out;
  HANSA_TRY_VOID(release_device(config.admitted, device.name));
  HANSA_TRY_VOID(devices.set_state(name, DeviceState::admitted, "released", acting));
  out.quarantine = true;
  return out;
}

}  // namespace hansa::server
