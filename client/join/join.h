// Enrols this device by a join token: makes its key here, asks the aggregator for a certificate, and writes client.toml.
//
// The token is trusted, because the operator gave it to the device's owner: it has the root key's identity and what the
// device requires. The aggregator's answer is checked against them. A join that was interrupted continues with the key that it made.
#pragma once
#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "client/join/service_places.h"
#include "common/error.h"
#include "common/utc.h"
#include "protocols/secure_aggregation/identity.h"
#include "protocols/enrolment/join_messages.h"
#include "protocols/enrolment/join_token.h"

namespace hansa::client {

// Whether join() waits until the operator has approved the device.
enum class WaitForApproval : std::uint8_t { yes, no };

// What join() does while the aggregator has never answered. Later, while it waits for approval, it always tries again.
enum class WhenUnreachable : std::uint8_t { fail, retry };

struct JoinPlan {
  std::filesystem::path folder;  // for the key, the certificate and the state; made if it is missing
  std::filesystem::path file;  // client.toml; empty: in the folder
  std::optional<ServiceUser> owner = {};  // of what is in the folder; empty: this user
  std::string proxy;  // as in client.toml; empty: none
  std::string data;  // lines of [data]; empty: an example to fill in
  WaitForApproval wait = WaitForApproval::yes;
  WhenUnreachable when_unreachable = WhenUnreachable::fail;
};

struct Joined {
  std::string name;
  std::filesystem::path file;  // client.toml
  UtcSeconds expires;  // of the certificate
};

// Fails with `usage` if there is a client.toml, with `refused` if the aggregator refuses the token or its answer is
// not what the token promises, with `network` if it cannot be reached and the plan is to fail then, and with `resource`
// if the operator has not approved the device and the plan is not to wait, or `stop` was set. on_note: lines for the
// person who waits.
[[nodiscard]] Result<Joined> join(const enrolment::JoinToken& token, const JoinPlan& plan,
                                  const std::function<void(const std::string&)>& on_note,
                                  const std::atomic<bool>& stop);

// Fails (refused) unless the root key certified this identity under the answer's name for the token's federation.
[[nodiscard]] Result<void> check_answer(const enrolment::JoinAnswer& answer,
                                        const enrolment::JoinToken& token,
                                        const secure_aggregation::IdentityKey& own);

}  // namespace hansa::client
