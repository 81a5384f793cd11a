// A question on the port on which devices enrol: asked again until the aggregator, or the operator, has decided.
#pragma once
#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "client/join/join.h"
#include "common/error.h"
#include "protocols/enrolment/join_messages.h"
#include "protocols/transport/keys.h"

namespace hansa::client::internal {

struct EnrolmentPort {
  std::string address;
  transport::PublicKey aggregator;
  std::string proxy;  // empty: none
};

struct Patience {
  WaitForApproval wait = WaitForApproval::yes;
  WhenUnreachable when_unreachable = WhenUnreachable::fail;
};

// The answer that the device is enrolled. Fails with `refused` if it is refused, with `network` if the aggregator cannot be
// reached, and with `resource` if the operator has not decided and nobody waits, or `stop` was set.
[[nodiscard]] Result<enrolment::JoinAnswer> ask_until_decided(
    const EnrolmentPort& port, const transport::SecretKey& key, const std::vector<std::byte>& request,
    const Patience& patience, const std::function<void(const std::string&)>& on_note,
    const std::atomic<bool>& stop);

}  // namespace hansa::client::internal
