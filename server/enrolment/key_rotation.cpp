#include "server/enrolment/key_rotation.h"

#include <fmt/format.h>

#include "server/enrolment/admitted_folder.h"

namespace hansa::server {

Result<Rotation> take_rotation(const enrolment::RotationRequest& request,
                               const enrolment::RotationScope& scope, const std::filesystem::path& admitted,
                               DeviceRegister& devices, const std::string& from, const Acting& acting) {
  HANSA_TRY(const auto device, devices.find_key(request.old_key));
  // The answer may have been lost after the change was complete. Then nobody has the former key any more.
  HANSA_TRY(const auto changed, devices.find_key(request.new_key));
  if (!device && changed && changed->state == DeviceState::admitted &&
      changed->identity == request.new_identity)
    return Rotation{*changed, std::nullopt};
  // One answer, so that nobody learns which keys are known.
  if (!device || !enrolment::has_valid_proof(request, scope, device->identity))
    return fail(ErrorCode::refused, "the request", "is not signed by a device of this federation",
                "a key that was changed before is not a device's key any more");
  if (device->state != DeviceState::admitted)
    return fail(ErrorCode::refused, "device " + device->name,
                fmt::format("is {}, and cannot change its key", name(device->state)), "ask the operator");
  HANSA_TRY(const auto revoked, read_revoked_keys(admitted));
  const auto refuse_if_revoked = [&](const transport::PublicKey& key) -> Result<void> {
    if (!revoked.contains(key)) return {};
    return fail(ErrorCode::refused, "the key " + key.text(), "was revoked", "ask the operator");
  };
  HANSA_TRY_VOID(refuse_if_revoked(request.new_key));
  HANSA_TRY(const auto present, devices.find_next_key(device->name));
  if (present && present->state != NextKeyState::denied && present->key == request.new_key)
    return Rotation{*device, present};
  // After that, because a change that is complete in the folder, and not in the register yet, has revoked it.
  HANSA_TRY_VOID(refuse_if_revoked(request.old_key));
  HANSA_TRY(const NextKey next,
            devices.add_next_key({device->name, request.new_key, request.new_identity, from}, acting));
  return Rotation{*device, next};
}

Device with_next_key(const Device& device, const NextKey& next) {
  Device out = device;
  out.key = next.key;
  out.identity = next.identity;
  out.certificate = next.certificate;
  return out;
}

Result<void> admit_certified_key(const Device& device, NextKey& next, const Device::Certified& certificate,
                                 const std::filesystem::path& admitted, DeviceRegister& devices,
                                 const Acting& acting) {
  HANSA_TRY_VOID(devices.approve_next_key(device.name, certificate, acting));
  next.state = NextKeyState::certified;
  next.certificate = certificate;
  return admit_next_key(admitted, device, next);
}

}  // namespace hansa::server
