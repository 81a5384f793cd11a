// Opens a session with the aggregator as the client does, without data, so that no round selects it, and closes it again.
//
// What happened (probe_session) is separate from what it means (judge), which is a pure function.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "client/check/finding.h"
#include "common/time.h"
#include "protocols/messages/messages.h"
#include "protocols/transport/client_channel.h"

namespace hansa::client {

struct SessionAnswers {
  std::optional<transport::LinkEvent> link_failure = {};  // before the handshake was complete
  std::optional<messages::Welcome> welcome = {};
  std::optional<messages::Refuse> refusal = {};
  std::optional<Error> unreadable = {};  // a message that does not decode: another version
  bool is_silent = false;  // connected, and no answer to Hello
  bool ended_early = false;  // the connection ended before an answer
};

struct SessionQuestion {
  std::string federation;
  std::string software;
  std::uint64_t instance = 0;  // random
  Duration at_most = std::chrono::seconds(15);
};
// Fails only if no connection can be attempted.
[[nodiscard]] Result<SessionAnswers> probe_session(const transport::ClientChannelConfig& channel,
                                                   const transport::SecretKey& key,
                                                   const SessionQuestion& question);

enum class Route : std::uint8_t { direct, through_proxy };
// Findings for proxy (only on that route), handshake, admission, version, federation, session and certificate, in this order.
[[nodiscard]] std::vector<Finding> judge(const SessionAnswers& answers, const std::string& address,
                                         Route route);

}  // namespace hansa::client
