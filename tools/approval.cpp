#include "tools/approval.h"

#include <algorithm>

#include "common/files.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/enrolment/key_statements.h"
#include "protocols/enrolment/rotation_request.h"
#include "server/config/devices_config.h"
#include "server/enrolment/admitted_folder.h"
#include "server/enrolment/key_rotation.h"
#include "server/enrolment/signer.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;
using server::Device;
using server::DeviceState;

std::uint32_t epoch_of(const server::FederationConfig& config) {
  return config.secure_aggregation ? config.secure_aggregation->epoch : 1;
}

Result<Pending> find_pending(const std::string& name, server::DeviceRegister& devices) {
  HANSA_TRY(const auto device, devices.find(name));
  if (device && device->state == DeviceState::pending) return Pending{*device, std::nullopt};
  if (device && device->state == DeviceState::admitted) {
    HANSA_TRY(const auto next, devices.find_next_key(name));
    if (next && next->state == server::NextKeyState::pending) return Pending{*device, next};
  }
  return fail(ErrorCode::usage, name, "does not wait for approval", "\"hansa approve\" lists who waits");
}

// The register first: the device asks again, and then gets what the register has.
Result<void> admit(const server::FederationConfig& config, Pending& pending,
                   const Device::Certified& certificate, server::DeviceRegister& devices,
                   const server::Acting& acting) {
  if (pending.next)
    return server::admit_certified_key(pending.device, *pending.next, certificate, config.admitted, devices,
                                       acting);
  HANSA_TRY_VOID(devices.approve(pending.device.name, certificate, acting));
  pending.device.certificate = certificate;
  HANSA_TRY_VOID(server::admit_device(config.admitted, pending.device));
  pending.device.state = DeviceState::admitted;
  return devices.mark_admitted(pending.device.name);
}

}  // namespace

Device Pending::asking() const { return next ? server::with_next_key(device, *next) : device; }

Result<std::vector<Pending>> pending_requests(server::DeviceRegister& devices) {
  HANSA_TRY(const auto all, devices.devices());
  HANSA_TRY(const auto keys, devices.next_keys());
  std::vector<Pending> out;
  for (const Device& device : all) {
    if (device.state == DeviceState::pending) out.push_back({device, std::nullopt});
    if (device.state != DeviceState::admitted) continue;
    const auto next = std::ranges::find(keys, device.name, &server::NextKey::device);
    if (next != keys.end() && next->state == server::NextKeyState::pending) out.push_back({device, *next});
  }
  return out;
}

Result<std::vector<Pending>> approve_devices(const server::FederationConfig& config,
                                             const std::vector<std::string>& names,
                                             const secure_aggregation::SigningKey& root,
                                             const ApprovalTerms& terms, server::DeviceRegister& devices,
                                             const server::Acting& acting) {
  if (terms.identity && names.size() != 1)
    return fail(ErrorCode::usage, "--identity", "is the identity of one device", "name one device");
  std::vector<Pending> out;
  for (const std::string& name : names) {
    HANSA_TRY(Pending pending, find_pending(name, devices));
    if (const auto identity = pending.asking().identity; terms.identity && *terms.identity != identity)
      return fail(
          ErrorCode::refused, name, "has another identity in the register: " + enrolment::text_of(identity),
          "somebody else may have used its token, or may have changed the register: deny it, and look at "
          "the aggregator's machine");
    HANSA_TRY(
        const auto certificate,
        server::certify_device(pending.asking(), root,
                               {config.name, root.public_key(), epoch_of(config), terms.days}, acting.at));
    HANSA_TRY_VOID(admit(config, pending, certificate, devices, acting));
    out.push_back(std::move(pending));
  }
  return out;
}

Result<std::vector<std::string>> export_requests(const fs::path& to, server::DeviceRegister& devices) {
  HANSA_TRY_VOID(make_folders(to));
  HANSA_TRY(const auto all, pending_requests(devices));
  std::vector<std::string> out;
  for (const Pending& pending : all) {
    const Device device = pending.asking();
    enrolment::DeviceFile file;
    file.key = device.key;
    file.identity = device.identity;
    HANSA_TRY_VOID(enrolment::write_device_file(file, to / (device.name + ".pub")));
    out.push_back(device.name);
  }
  return out;
}

Result<std::vector<std::string>> import_certificates(const server::FederationConfig& config,
                                                     const fs::path& from, server::DeviceRegister& devices,
                                                     const server::Acting& acting) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(from, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".pub") files.push_back(entry->path());
  if (error) return fail(ErrorCode::storage, from.string(), "cannot be read (" + error.message() + ")");
  std::ranges::sort(files);
  std::vector<std::string> out;
  for (const fs::path& file : files) {
    const std::string name = file.stem().string();
    auto found = find_pending(name, devices);
    if (!found && found.error().code == ErrorCode::usage) continue;
    HANSA_TRY(Pending pending, std::move(found));
    const Device device = pending.asking();
    HANSA_TRY(
        const auto certificate,
        enrolment::read_certificate({from, config.name, *config.root, epoch_of(config)}, name, acting.at));
    HANSA_TRY(const auto described, enrolment::read_device_file(file));
    if (certificate.identity != device.identity || described.key != device.key)
      return fail(ErrorCode::refused, file.string(), "is certified for another key than the device's",
                  "export the requests again: hansa approve --export DIR");
    HANSA_TRY_VOID(admit(config, pending, {certificate.validity, certificate.signature}, devices, acting));
    out.push_back(name);
  }
  return out;
}

// The folder first: a next key that is certified is admitted.
Result<void> deny_device(const server::FederationConfig& config, const std::string& name,
                         server::DeviceRegister& devices, const server::Acting& acting) {
  HANSA_TRY(const auto next, devices.find_next_key(name));
  if (next && next->state != server::NextKeyState::denied) {
    HANSA_TRY_VOID(server::remove_next_key(config.admitted, name));
    return devices.deny_next_key(name, acting);
  }
  HANSA_TRY(const Pending pending, find_pending(name, devices));
  return devices.set_state(pending.device.name, DeviceState::denied, "", acting);
}

Result<Pending> add_rotation(const server::FederationConfig& config, const fs::path& file,
                             server::DeviceRegister& devices, const server::Acting& acting) {
  HANSA_TRY(const auto request, enrolment::read_rotation_request(file));
  HANSA_TRY(const auto devices_config, server::read_devices_config(config.file, config.variables));
  const auto roots = enrolment::roots_in(devices_config.statements, config.name, *config.root, acting.at);
  HANSA_TRY(const server::Rotation rotation,
            server::take_rotation(request, {config.name, roots.newest, roots.former}, config.admitted,
                                  devices, file.filename().string(), acting));
  return Pending{rotation.device, rotation.next};
}

}  // namespace hansa::tools
