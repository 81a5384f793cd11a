#include "tools/renewal.h"

#include <algorithm>

#include "common/config/name_check.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;

Result<std::vector<fs::path>> device_files(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".pub") out.push_back(entry->path());
  if (error)
    return fail(ErrorCode::usage, folder.string(), "cannot be read (" + error.message() + ")",
                "name the folder of admitted clients: --folder");
  if (out.empty())
    return fail(ErrorCode::usage, folder.string(), "has no NAME.pub",
                "name the folder of admitted clients: --folder");
  std::ranges::sort(out);
  return out;
}

Result<secure_aggregation::Validity> renew(const fs::path& file, const RenewalPlan& plan,
                                           const secure_aggregation::SigningKey& root) {
  const std::string name = file.stem().string();
  HANSA_TRY_VOID(config::check_name(name, file.string()));
  // The present certificate, whatever its epoch and its expiry.
  const enrolment::CertificateScope signed_by{plan.folder, plan.federation, root.public_key(), 0};
  if (const auto present = enrolment::read_certificate(signed_by, name, UtcSeconds{0}); !present)
    return fail(ErrorCode::refused, present.error().location, present.error().what,
                "if the device is yours, name its file instead of --all");
  return enrolment::certify_file(file, plan.federation, root, plan.term);
}

}  // namespace

Result<std::vector<Renewal>> renew_certificates(const RenewalPlan& plan,
                                                const secure_aggregation::SigningKey& root) {
  HANSA_TRY(const auto files, device_files(plan.folder));
  std::vector<Renewal> out;
  for (const fs::path& file : files) {
    out.push_back({file, std::nullopt});
    if (plan.expiring_days) {
      const UtcSeconds then{plan.term.issued.value + *plan.expiring_days * enrolment::seconds_per_day};
      const enrolment::CertificateScope scope{plan.folder, plan.federation, root.public_key(),
                                              plan.term.epoch.value_or(1)};
      if (enrolment::read_certificate(scope, file.stem().string(), then)) continue;
    }
    out.back().renewed = renew(file, plan, root);
  }
  return out;
}

}  // namespace hansa::tools
