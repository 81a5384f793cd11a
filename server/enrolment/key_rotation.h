// The request of a device to change its key: who may ask, and what the register and the folder of admitted clients become.
// docs/enrolment.md, "Changing keys", has the design and the attacks.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "common/error.h"
#include "protocols/enrolment/rotation_request.h"
#include "server/register/device_register.h"

namespace hansa::server {

struct Rotation {
  Device device;
  std::optional<NextKey> next;  // pending or certified; empty: the new key is the device's key already
};

// Adds the request to the register, unless it is there. Fails (refused) if it is not signed by an admitted device and its new
// key, or as DeviceRegister::add_next_key() does. from: for the audit log.
[[nodiscard]] Result<Rotation> take_rotation(const enrolment::RotationRequest& request,
                                             const enrolment::RotationScope& scope,
                                             const std::filesystem::path& admitted, DeviceRegister& devices,
                                             const std::string& from, const Acting& acting);

// The device with its next key in the place of the present one: what is certified.
[[nodiscard]] Device with_next_key(const Device& device, const NextKey& next);

// Records the operator's signature of a pending next key and admits it. Both keys are admitted from now on.
[[nodiscard]] Result<void> admit_certified_key(const Device& device, NextKey& next,
                                               const Device::Certified& certificate,
                                               const std::filesystem::path& admitted, DeviceRegister& devices,
                                               const Acting& acting);

}  // namespace hansa::server
