// Sends the root key's statements about changed keys to clients: to each connection once, along with a message that it sends, and
// again after the file has changed. Only to clients that say in Hello that they are Hansa 0.2 or later: an earlier one takes the
// frame for a damaged message. One thread.
#pragma once
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/identifiers.h"
#include "common/time.h"
#include "common/utc.h"
#include "protocols/transport/server_channel.h"
#include "server/process/internal/aggregator_key.h"

namespace hansa::server::internal {

// Whether a client with this text of Hello understands the frame: "hansa 0.2.0" does, "hansa 0.1.3" and others do not.
[[nodiscard]] bool understands_statements(std::string_view software);

class StatementSender {
 public:
  // Both outlive the sender. on_warning: the file cannot be used; each reason once.
  StatementSender(const AggregatorKey& key, transport::ServerChannel& channel,
                  std::function<void(const std::string&)> on_warning)
      : key_(key), channel_(channel), on_warning_(std::move(on_warning)) {}

  void on_message(const transport::Incoming& in);
  // Reads the file again, at most once a second. Returns the root keys that hold, if they are others than at the last look.
  std::optional<enrolment::TrustedRoots> look_due(Instant now, UtcSeconds wall_now);

 private:
  const AggregatorKey& key_;
  transport::ServerChannel& channel_;
  std::function<void(const std::string&)> on_warning_;
  std::vector<std::byte> frame_;  // empty: there is nothing to send
  std::optional<enrolment::TrustedRoots> roots_;
  std::set<PeerId> sent_;
  std::set<std::string, std::less<>> understand_;  // names of clients, by their last Hello
  Instant next_look_;
  std::string warned_;
};

}  // namespace hansa::server::internal
