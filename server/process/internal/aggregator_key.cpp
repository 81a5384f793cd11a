#include "server/process/internal/aggregator_key.h"

#include "protocols/enrolment/device_file.h"

namespace hansa::server::internal {
namespace {

namespace fs = std::filesystem;

// AGGREGATOR.pub, for those who read the key from it.
Result<void> write_public_file(const transport::SecretKey& key, fs::path file) {
  file.replace_extension(".pub");
  std::error_code missing;
  if (!fs::exists(file, missing)) return {};
  HANSA_TRY(const auto described, enrolment::describe(key));
  return enrolment::write_device_file(described, file);
}

}  // namespace

AggregatorKey::AggregatorKey(fs::path file, fs::path statements, std::string federation,
                             std::optional<secure_aggregation::IdentityKey> root)
    : file_(std::move(file)),
      statements_(std::move(statements)),
      federation_(std::move(federation)),
      root_(root) {}

Result<std::optional<enrolment::KeyStatements>> AggregatorKey::statements(UtcSeconds now) const {
  std::error_code missing;
  if (!root_ || !fs::exists(statements_, missing)) return std::nullopt;
  HANSA_TRY(auto read, enrolment::read_statements(statements_));
  HANSA_TRY_VOID(enrolment::check_statements(read, federation_, *root_, now));
  return std::optional(std::move(read));
}

std::optional<enrolment::TrustedRoots> AggregatorKey::trusted_roots(UtcSeconds now) const {
  if (!root_) return std::nullopt;
  return enrolment::roots_in(statements_, federation_, *root_, now);
}

std::optional<transport::SecretKey> AggregatorKey::next_key(
    const enrolment::KeyStatements& statements) const {
  const fs::path file = enrolment::next_key_file(file_);
  std::error_code missing;
  if (!statements.aggregator || !fs::exists(file, missing)) return std::nullopt;
  auto key = transport::read_secret_key(file);
  if (!key || key->public_key() != statements.aggregator->key) return std::nullopt;
  return std::move(*key);
}

bool AggregatorKey::is_switch_due(UtcSeconds now) const {
  const auto stated = statements(now);
  return stated && *stated && (*stated)->aggregator && now >= (*stated)->aggregator->from &&
         next_key(**stated).has_value();
}

Result<transport::SecretKey> AggregatorKey::read(
    UtcSeconds now, const std::function<void(const std::string&)>& on_warning) const {
  const auto stated = statements(now);
  if (!stated) on_warning("the statements about keys are not used: " + stated.error().text());
  if (is_switch_due(now)) {
    HANSA_TRY_VOID(write_public_file(*next_key(**stated), file_));
    std::error_code error;
    fs::rename(enrolment::next_key_file(file_), file_, error);
    if (error)
      return fail(ErrorCode::storage, file_.string(),
                  "cannot be replaced by the next key (" + error.message() + ")");
  }
  HANSA_TRY(auto key, transport::read_secret_key(file_));
  if (stated && *stated && (*stated)->aggregator && now >= (*stated)->aggregator->from &&
      key.public_key() != (*stated)->aggregator->key)
    on_warning("the root key states that the aggregator has another key than " + file_.string() +
               ": clients that know it do not connect; restore that key, or make another statement: hansa "
               "keys rotate aggregator");
  return key;
}

}  // namespace hansa::server::internal
