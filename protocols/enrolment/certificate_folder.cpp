#include "protocols/enrolment/certificate_folder.h"

#include <algorithm>

#include <fmt/format.h>

namespace hansa::enrolment {

CertificateFolder::Found CertificateFolder::find(const std::string& client, UtcSeconds now) {
  if (const auto known = valid_.find(client); known != valid_.end() && now < known->second.validity.expires)
    return {known->second, {}};
  const UtcSeconds tomorrow{now.value + seconds_per_day};
  due_ = due_.value == 0 ? tomorrow : std::min(due_, tomorrow);
  Found out{read_certificate(scope_, client, now), {}};
  if (!out.certificate) return out;
  valid_.insert_or_assign(client, *out.certificate);
  const UtcSeconds expires = out.certificate->validity.expires;
  due_ = std::min(due_, expires);
  if (expires.value - now.value > renewal_seconds) return out;
  UtcSeconds& reported = reported_[client];
  if (reported == expires) return out;
  reported = expires;
  out.warning = fmt::format(
      "{}: the certificate expires on {}, in {} days; renew it: hansa keys certify --root ROOT.key "
      "--federation "
      "{} {}.pub",
      (scope_.folder / (client + ".pub")).string(), date_text(expires),
      (expires.value - now.value) / seconds_per_day, scope_.federation, client);
  return out;
}

void CertificateFolder::forget(std::span<const std::string> clients) {
  for (const std::string& client : clients) valid_.erase(client);
}

bool CertificateFolder::is_due(UtcSeconds now) {
  if (due_.value == 0 || now < due_) return false;
  due_ = {};
  valid_.clear();
  return true;
}

}  // namespace hansa::enrolment
