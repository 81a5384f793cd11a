#include "client/join/rotate.h"

#include "client/join/internal/question.h"
#include "client/keys/accepted_keys.h"
#include "client/keys/key_files.h"
#include "common/files.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/enrolment/rotation_request.h"

namespace hansa::client {
namespace {

namespace fs = std::filesystem;

// With the newest root key.
Result<enrolment::RotationScope> scope_of(const ClientConfig& config) {
  HANSA_TRY(const auto accepted, AcceptedKeys::open(config));
  if (const auto roots = accepted.roots(utc_seconds_now()))
    return enrolment::RotationScope{config.federation, roots->newest, roots->former};
  return fail(ErrorCode::usage, config.file.string(), "has no root key, which certifies the new key",
              "set secure_aggregation.root or model.root: the operator knows it");
}

// The new key takes the place of the present one. The last step is atomic, and until then all can be done again.
Result<Rotated> install(const ClientConfig& config, const transport::SecretKey& present,
                        const transport::SecretKey& next, const std::string& name,
                        const enrolment::DeviceFile::Certified& certified) {
  HANSA_TRY(const auto scope, scope_of(config));
  HANSA_TRY(enrolment::DeviceFile device, enrolment::describe(next));
  const secure_aggregation::Certificate certificate{name, *device.identity, certified.validity,
                                                    certified.signature};
  const bool is_signed =
      secure_aggregation::check(certificate, scope.federation, scope.root) ||
      (scope.other_root && secure_aggregation::check(certificate, scope.federation, *scope.other_root));
  if (!is_signed)
    return fail(ErrorCode::refused, "the certificate",
                "is not signed by the federation's root key for this device's new key",
                "tell the operator; the device keeps its present key");
  device.certificate = certified;
  HANSA_TRY_VOID(keep_hold_out_key(config, present));
  HANSA_TRY_VOID(enrolment::write_device_file(device, public_file(config)));
  std::error_code error;
  fs::rename(next_key_file(config), config.key, error);
  if (error)
    return fail(ErrorCode::storage, next_key_file(config).string(),
                "cannot be renamed to " + config.key.string() + " (" + error.message() + ")",
                "rename it, or run the same command again");
  return Rotated{name, certified.validity.expires};
}

}  // namespace

Result<Rotated> rotate(const ClientConfig& config, const RotationPlan& plan,
                       const std::function<void(const std::string&)>& on_note,
                       const std::atomic<bool>& stop) {
  HANSA_TRY(const auto scope, scope_of(config));
  HANSA_TRY(const auto present, transport::read_secret_key(config.key));
  HANSA_TRY(const auto next, read_or_make_key(next_key_file(config)));
  HANSA_TRY(const auto request, enrolment::make_rotation_request(scope, present, next));
  HANSA_TRY(const auto frame, enrolment::encode(request));
  HANSA_TRY(const auto answer,
            internal::ask_until_decided({plan.address, config.aggregator_key, config.proxy}, next, frame,
                                        {plan.wait, WhenUnreachable::fail}, on_note, stop));
  return install(config, present, next, answer.name, {answer.validity, answer.signature});
}

Result<void> write_request(const ClientConfig& config, const fs::path& file) {
  HANSA_TRY(const auto scope, scope_of(config));
  HANSA_TRY(const auto present, transport::read_secret_key(config.key));
  HANSA_TRY(const auto next, read_or_make_key(next_key_file(config)));
  HANSA_TRY(const auto request, enrolment::make_rotation_request(scope, present, next));
  return enrolment::write_rotation_request(request, file);
}

Result<Rotated> take_certificate(const ClientConfig& config, const fs::path& file) {
  std::error_code error;
  if (!fs::exists(next_key_file(config), error))
    return fail(ErrorCode::usage, next_key_file(config).string(), "is missing: this device changes to no key",
                "ask first: hansa-client rotate client.toml --request FILE");
  HANSA_TRY(const auto present, transport::read_secret_key(config.key));
  HANSA_TRY(const auto next, transport::read_secret_key(next_key_file(config)));
  HANSA_TRY(const auto own, next.public_key());
  HANSA_TRY(const auto device, enrolment::read_device_file(file));
  if (device.key != own || !device.certificate)
    return fail(ErrorCode::refused, file.string(), "is not the certificate of this device's new key",
                "the operator's command \"hansa approve --rotation\" names the file to bring");
  return install(config, present, next, file.stem().string(), *device.certificate);
}

}  // namespace hansa::client
