// The keys of its federation that this device believes: those of client.toml, and what the root key has stated since
// (protocols/enrolment/key_statements.h). The state folder has what was accepted, and each object reads it again, so that a
// command may accept while the client runs. Not thread-safe.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "client/config/client_config.h"
#include "common/error.h"
#include "common/utc.h"
#include "protocols/enrolment/key_statements.h"
#include "protocols/transport/keys.h"

namespace hansa::client {

// For a person: what the statements say.
[[nodiscard]] std::string text_of_accepted(const enrolment::KeyStatements& statements);

enum class Acceptance : std::uint8_t { accepted, nothing_new };

class AcceptedKeys {
 public:
  // Fails with `storage` if what was accepted is damaged, or contradicts client.toml's root key: without it the device would
  // believe keys that have ended.
  [[nodiscard]] static Result<AcceptedKeys> open(const ClientConfig& config);
  [[nodiscard]] static std::filesystem::path file_of(const ClientConfig& config);
  // client.toml's root key, which signs statements; empty: it has none.
  [[nodiscard]] static std::optional<secure_aggregation::IdentityKey> pinned_root(const ClientConfig& config);

  // Checks the statements, and stores them if they say something new. Fails (refused) if they are not signed by the root key,
  // are for another federation, or take back what was accepted; (usage) if client.toml has no root key.
  [[nodiscard]] Result<Acceptance> accept(const enrolment::KeyStatements& statements, UtcSeconds now);

  // The aggregator's keys, to be tried in this order: one, or two while it changes its key. The former one is not tried later
  // than a day after the change, by the device's clock.
  [[nodiscard]] std::vector<transport::PublicKey> aggregator_keys(UtcSeconds now) const;
  // The aggregator has authenticated itself with this key. When it is the next one, the former one is believed no more.
  [[nodiscard]] Result<void> connected(const transport::PublicKey& key);

  // The root keys that hold now; empty: client.toml has none.
  [[nodiscard]] std::optional<enrolment::TrustedRoots> roots(UtcSeconds now) const;
  [[nodiscard]] const std::optional<enrolment::KeyStatements>& statements() const { return statements_; }

 private:
  AcceptedKeys() = default;
  [[nodiscard]] Result<void> store() const;

  std::filesystem::path file_;
  std::string federation_;
  std::optional<secure_aggregation::IdentityKey> pinned_root_;
  transport::PublicKey pinned_;  // client.toml's
  transport::PublicKey present_;  // that the aggregator had last
  std::optional<enrolment::KeyStatements> statements_;
};

}  // namespace hansa::client
