#include "tools/approval.h"

#include <algorithm>

#include "common/files.h"
#include "protocols/enrolment/device_file.h"
#include "server/enrolment/admitted_folder.h"
#include "server/enrolment/signer.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;
using server::Device;
using server::DeviceState;

std::uint32_t epoch_of(const server::FederationConfig& config) {
  return config.secure_aggregation ? config.secure_aggregation->epoch : 1;
}

Result<Device> find_pending(const std::string& name, server::DeviceRegister& devices) {
  HANSA_TRY(auto device, devices.find(name));
  if (!device || device->state != DeviceState::pending)
    return fail(ErrorCode::usage, name, "does not wait for approval", "\"hansa approve\" lists who waits");
  return std::move(*device);
}

// The register first: the device asks again, and then gets what the register has.
Result<void> admit(const server::FederationConfig& config, Device& device,
                   const Device::Certified& certificate, server::DeviceRegister& devices,
                   const server::Acting& acting) {
  HANSA_TRY_VOID(devices.approve(device.name, certificate, acting));
  device.certificate = certificate;
  HANSA_TRY_VOID(server::admit_device(config.admitted, device));
  device.state = DeviceState::admitted;
  return devices.mark_admitted(device.name);
}

}  // namespace

Result<std::vector<Device>> approve_devices(const server::FederationConfig& config,
                                            const std::vector<std::string>& names,
                                            const secure_aggregation::SigningKey& root,
                                            const ApprovalTerms& terms, server::DeviceRegister& devices,
                                            const server::Acting& acting) {
  if (terms.identity && names.size() != 1)
    return fail(ErrorCode::usage, "--identity", "is the identity of one device", "name one device");
  std::vector<Device> out;
  for (const std::string& name : names) {
    HANSA_TRY(Device device, find_pending(name, devices));
    if (terms.identity && *terms.identity != device.identity)
      return fail(
          ErrorCode::refused, name,
          "has another identity in the register: " + enrolment::text_of(device.identity),
          "somebody else may have used its token, or may have changed the register: deny it, and look at "
          "the aggregator's machine");
    HANSA_TRY(const auto certificate,
              server::certify_device(
                  device, root, {config.name, root.public_key(), epoch_of(config), terms.days}, acting.at));
    HANSA_TRY_VOID(admit(config, device, certificate, devices, acting));
    out.push_back(std::move(device));
  }
  return out;
}

Result<std::vector<std::string>> export_requests(const fs::path& to, server::DeviceRegister& devices) {
  HANSA_TRY_VOID(make_folders(to));
  HANSA_TRY(const auto all, devices.devices());
  std::vector<std::string> out;
  for (const Device& device : all) {
    if (device.state != DeviceState::pending) continue;
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
    HANSA_TRY(const auto found, devices.find(name));
    if (!found || found->state != DeviceState::pending) continue;
    Device device = *found;
    HANSA_TRY(
        const auto certificate,
        enrolment::read_certificate({from, config.name, *config.root, epoch_of(config)}, name, acting.at));
    HANSA_TRY(const auto described, enrolment::read_device_file(file));
    if (certificate.identity != device.identity || described.key != device.key)
      return fail(ErrorCode::refused, file.string(), "is certified for another key than the device's",
                  "export the requests again: hansa approve --export DIR");
    HANSA_TRY_VOID(admit(config, device, {certificate.validity, certificate.signature}, devices, acting));
    out.push_back(name);
  }
  return out;
}

Result<void> deny_device(const std::string& name, server::DeviceRegister& devices,
                         const server::Acting& acting) {
  HANSA_TRY(const Device device, find_pending(name, devices));
  return devices.set_state(device.name, DeviceState::denied, "", acting);
}

}  // namespace hansa::tools
