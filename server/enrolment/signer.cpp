#include "server/enrolment/signer.h"

#include "protocols/enrolment/device_file.h"

namespace hansa::server {

Result<secure_aggregation::SigningKey> read_root_key(const std::filesystem::path& file,
                                                     const secure_aggregation::IdentityKey& root) {
  HANSA_TRY(const transport::SecretKey secret, transport::read_secret_key(file));
  HANSA_TRY(secure_aggregation::SigningKey key, enrolment::identity_of(secret));
  if (key.public_key() != root)
    return fail(ErrorCode::usage, file.string(), "is not the root key that federation.toml names",
                "its identity is " + enrolment::text_of(key.public_key()));
  return key;
}

Result<Device::Certified> certify_device(const Device& device, const secure_aggregation::SigningKey& root,
                                         const SigningTerms& terms, UtcSeconds now) {
  const secure_aggregation::Validity validity{
      terms.epoch, now, {now.value + terms.days * enrolment::seconds_per_day}};
  HANSA_TRY(const auto certificate,
            secure_aggregation::certify(root, terms.federation, device.name, device.identity, validity));
  return Device::Certified{certificate.validity, certificate.signature};
}

Certifier certifier_with_key(std::filesystem::path file, SigningTerms terms) {
  return [file = std::move(file), terms = std::move(terms)](const Device& device,
                                                            UtcSeconds now) -> Result<Device::Certified> {
    HANSA_TRY(const auto root, read_root_key(file, terms.root));
    return certify_device(device, root, terms, now);
  };
}

}  // namespace hansa::server
