#include "tools/key_rotation.h"

#include <algorithm>

#include "protocols/enrolment/device_file.h"
#include "protocols/transport/keys.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;
using enrolment::KeyStatements;
using secure_aggregation::SigningKey;

tl::unexpected<Error> refuse_root(const fs::path& file) {
  return fail(ErrorCode::refused, file.string(),
              "is signed by another root key, which is newer or not this one's",
              "name the newest root key: --root FILE");
}

// The statements in the file, or none.
Result<KeyStatements> read_or_begin(const StatementPlan& plan) {
  std::error_code missing;
  if (!fs::exists(plan.file, missing)) return KeyStatements{plan.federation, {}, {}};
  HANSA_TRY(auto out, enrolment::read_statements(plan.file));
  if (out.federation != plan.federation)
    return fail(ErrorCode::usage, plan.file.string(), "is of federation \"" + out.federation + "\"",
                "name the file of federation \"" + plan.federation + "\"");
  return out;
}

// Whether devices that follow the statements from this root key end at it, and believe everything.
Result<void> check_newest(const KeyStatements& statements, const StatementPlan& plan,
                          const SigningKey& root) {
  if (!statements.roots.empty() && statements.roots.back().next != root.public_key())
    return refuse_root(plan.file);
  // The first root key of the chain, which all devices can have pinned.
  const auto& first = statements.roots.empty() ? root.public_key() : statements.roots.front().former;
  if (!enrolment::check_statements(statements, plan.federation, first, plan.now))
    return refuse_root(plan.file);
  return {};
}

// Later than what was stated before, also if this machine's clock was set back.
UtcSeconds issue_after(UtcSeconds now, UtcSeconds before) { return {std::max(now.value, before.value + 1)}; }

}  // namespace

Result<transport::PublicKey> make_next_aggregator_key(const server::FederationConfig& config) {
  const fs::path file = enrolment::next_key_file(config.key);
  std::error_code missing;
  if (!fs::exists(file, missing)) {
    HANSA_TRY(const auto made, transport::generate_secret_key());
    HANSA_TRY_VOID(transport::write_secret_key(made, file));
  }
  HANSA_TRY(const auto key, transport::read_secret_key(file));
  return key.public_key();
}

Result<enrolment::AggregatorStatement> state_aggregator_key(const StatementPlan& plan, const SigningKey& root,
                                                            const transport::PublicKey& key) {
  HANSA_TRY(KeyStatements statements, read_or_begin(plan));
  HANSA_TRY_VOID(check_newest(statements, plan, root));
  const auto& before = statements.aggregator;
  if (before && before->key == key) return *before;
  const UtcSeconds issued = before ? issue_after(plan.now, before->issued) : plan.now;
  HANSA_TRY(
      const auto stated,
      enrolment::state_aggregator(root, plan.federation, {key, issued, {issued.value + plan.overlap_s}, {}}));
  statements.aggregator = stated;
  HANSA_TRY_VOID(enrolment::write_statements(statements, plan.file));
  return stated;
}

Result<enrolment::RootStatement> state_next_root(const StatementPlan& plan, const SigningKey& root,
                                                 const SigningKey& next) {
  HANSA_TRY(KeyStatements statements, read_or_begin(plan));
  if (!statements.roots.empty() && statements.roots.back().former == root.public_key() &&
      statements.roots.back().next == next.public_key())
    return statements.roots.back();
  HANSA_TRY_VOID(check_newest(statements, plan, root));
  if (statements.roots.size() >= enrolment::root_statements_max)
    return fail(ErrorCode::usage, plan.file.string(), "has as many changes of the root key as devices accept",
                "make a new file, and a new client.toml for devices that have an old root key");
  const UtcSeconds issued =
      statements.roots.empty() ? plan.now : issue_after(plan.now, statements.roots.back().issued);
  HANSA_TRY(const auto stated,
            enrolment::state_root(root, next, plan.federation, issued, {issued.value + plan.overlap_s}));
  statements.roots.push_back(stated);
  if (statements.aggregator) {
    HANSA_TRY(statements.aggregator,
              enrolment::state_aggregator(next, plan.federation, *statements.aggregator));
  }
  HANSA_TRY_VOID(check_newest(statements, plan, next));
  HANSA_TRY_VOID(enrolment::write_statements(statements, plan.file));
  return stated;
}

}  // namespace hansa::tools
