// The certificates in an aggregator's folder of admitted clients: which hold now, and which must be renewed soon.
//
// The clock is an argument. Not thread-safe.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "common/error.h"
#include "common/utc.h"
#include "protocols/enrolment/device_file.h"

namespace hansa::enrolment {

// A certificate that expires within this time is reported.
inline constexpr std::uint64_t renewal_seconds = 30 * seconds_per_day;

class CertificateFolder {
 public:
  explicit CertificateFolder(CertificateScope scope) : scope_(std::move(scope)) {}

  struct Found {
    Result<secure_aggregation::Certificate> certificate;  // fails like read_certificate()
    std::string warning;  // it expires soon; empty: it does not, or that was reported already
  };
  // Other root keys sign from now on.
  void trust(const secure_aggregation::IdentityKey& root,
             const std::optional<secure_aggregation::IdentityKey>& other) {
    scope_.root = root;
    scope_.other_root = other;
    valid_.clear();
  }
  // Reads and checks a valid certificate once, until forget() names its client or is_due() has returned true: everybody
  // who may change the folder would otherwise make the aggregator check all signatures again.
  [[nodiscard]] Found find(const std::string& client, UtcSeconds now);
  // The files of these clients have changed.
  void forget(std::span<const std::string> clients);
  // Whether the certificates of all connected clients should be found again: one has expired, or a day has passed.
  [[nodiscard]] bool is_due(UtcSeconds now);

 private:
  CertificateScope scope_;
  std::map<std::string, secure_aggregation::Certificate> valid_;  // by client
  std::map<std::string, UtcSeconds> reported_;  // by client: the expiry that was reported
  UtcSeconds due_{};  // 0: nothing was found yet
};

}  // namespace hansa::enrolment
