// Renews the certificates of a folder of devices: `hansa keys certify --all`.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "protocols/enrolment/device_file.h"

namespace hansa::tools {

struct RenewalPlan {
  std::filesystem::path folder;  // with a NAME.pub of each device
  std::string federation;
  enrolment::CertificateTerm term;
  // Only certificates that expire within this time after term.issued, or have expired. Empty: all.
  std::optional<std::uint32_t> expiring_days = {};
};

struct Renewal {
  std::filesystem::path file;
  // Empty: the certificate holds long enough and was not changed. An error: the file was left as it is.
  std::optional<Result<secure_aggregation::Validity>> renewed;
};

// In the order of the names. A certificate is renewed only if this root key has signed it, however long ago: a key that
// somebody has put into the folder is not certified (refused). Fails (usage) if the folder cannot be read or has no NAME.pub.
[[nodiscard]] Result<std::vector<Renewal>> renew_certificates(const RenewalPlan& plan,
                                                              const secure_aggregation::SigningKey& root);

}  // namespace hansa::tools
