// Changes the keys of the aggregator and of the root: makes the root key's statements about them (`hansa keys rotate`).
// docs/enrolment.md, "Changing keys".
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "common/error.h"
#include "common/utc.h"
#include "protocols/enrolment/key_statements.h"
#include "protocols/secure_aggregation/identity.h"
#include "server/config/federation_config.h"

namespace hansa::tools {

// AGGREGATOR.key.next of the federation, which is made if it is missing: its public key.
[[nodiscard]] Result<transport::PublicKey> make_next_aggregator_key(const server::FederationConfig& config);

struct StatementPlan {
  std::filesystem::path file;  // the federation's statements; made if it is missing
  std::string federation;
  UtcSeconds now;
  std::uint64_t overlap_s = 0;
};
// States that the aggregator has this key from now + overlap on, in the place of an earlier statement. Stating the same key again
// changes nothing. Fails (refused) if the root key is not the newest one of the file's.
[[nodiscard]] Result<enrolment::AggregatorStatement> state_aggregator_key(
    const StatementPlan& plan, const secure_aggregation::SigningKey& root, const transport::PublicKey& key);

// States that `next` follows the root key, which holds alongside it until now + overlap, and signs the statement about the
// aggregator again with it. Stating the same again changes nothing. Fails (refused) like state_aggregator_key(), and (usage)
// if there are 16 root statements.
[[nodiscard]] Result<enrolment::RootStatement> state_next_root(const StatementPlan& plan,
                                                               const secure_aggregation::SigningKey& root,
                                                               const secure_aggregation::SigningKey& next);

}  // namespace hansa::tools
