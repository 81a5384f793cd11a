#include "tools/device_control.h"

#include "common/spelling.h"
#include "server/enrolment/admitted_folder.h"

namespace hansa::tools {
namespace {

using server::Device;
using server::DeviceState;

Result<Device> find_device(const std::string& name, server::DeviceRegister& devices) {
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
Result<void> revoke(const server::FederationConfig& config, const std::string& name,
                    const std::string& reason, server::DeviceRegister& devices,
                    const server::Acting& acting) {
  HANSA_TRY(const Device device, find_device(name, devices));
  if (device.state == DeviceState::revoked)
    return fail(ErrorCode::usage, name, "is revoked already", "\"hansa devices\" lists the devices");
  // A key to which the device changes first: the aggregator may be making it the present one.
  HANSA_TRY(const auto next, devices.find_next_key(name));
  if (next) HANSA_TRY_VOID(server::revoke_key(config.admitted, name, next->key));
  HANSA_TRY_VOID(server::revoke_key(config.admitted, name, device.key));
  HANSA_TRY_VOID(server::remove_device(config.admitted, name));
  return devices.set_state(name, DeviceState::revoked, reason, acting);
}

Result<void> quarantine(const server::FederationConfig& config, const std::string& name,
                        const std::string& reason, server::DeviceRegister& devices,
                        const server::Acting& acting) {
  HANSA_TRY(const Device device, find_device(name, devices));
  HANSA_TRY_VOID(server::quarantine_device(config.admitted, device.name));
  return devices.set_state(name, DeviceState::quarantined, reason, acting);
}

Result<Released> release(const server::FederationConfig& config, const std::string& name,
                         server::DeviceRegister& devices, server::DeviceHistory& history,
                         const server::Acting& acting) {
  HANSA_TRY(const Device device, find_device(name, devices));
  Released out;
  HANSA_TRY(out.faults, history.release(device.name, acting));
  // A device that is not in quarantine fails here, unless it had faults.
  if (device.state != DeviceState::quarantined && out.faults) return out;
  HANSA_TRY_VOID(server::release_device(config.admitted, device.name));
  HANSA_TRY_VOID(devices.set_state(name, DeviceState::admitted, "released", acting));
  out.quarantine = true;
  return out;
}

}  // namespace hansa::tools
