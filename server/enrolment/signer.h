// Certifies devices with the operator's root key.
#pragma once
#include "server/enrolment/enrolment_desk.h"

namespace hansa::server {

struct SigningTerms {
  std::string federation;
  secure_aggregation::IdentityKey root{};  // that federation.toml names
  std::uint32_t epoch = 1;
  std::uint32_t days = 400;
};
// Reads the root key. Fails (usage) if it is not the one that the federation names.
[[nodiscard]] Result<secure_aggregation::SigningKey> read_root_key(
    const std::filesystem::path& file, const secure_aggregation::IdentityKey& root);
[[nodiscard]] Result<Device::Certified> certify_device(const Device& device,
                                                       const secure_aggregation::SigningKey& root,
                                                       const SigningTerms& terms, UtcSeconds now);
// A certifier that reads the key for each certificate, so that it is not in memory in between.
[[nodiscard]] Certifier certifier_with_key(std::filesystem::path file, SigningTerms terms);

}  // namespace hansa::server
