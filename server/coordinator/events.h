// What the shell brings to a coordinator.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/error.h"
#include "common/identifiers.h"
#include "protocols/messages/messages.h"
#include "protocols/secure_aggregation/identity.h"
#include "server/coordinator/config.h"

namespace hansa::server {

struct MessageArrived {
  PeerId peer;
  std::string_view client;  // the name that the transport authenticated
  SessionId session;  // as the header claims
  const messages::ToAggregator& message;
  std::uint64_t bulk_bytes = 0;
};
// A message that only an aggregator sends.
struct MessageMisdirected {
  PeerId peer;
  std::string_view client;
  SessionId session;
  messages::Type type;
  std::uint64_t bulk_bytes = 0;
};
// A message that did not decode.
struct MessageMalformed {
  PeerId peer;
  std::string_view client;
  const Error& error;
};
// A send found no connection.
struct PeerGone {
  PeerId peer;
};
// Answers FindCertificate; none: the client takes no part in secure sums.
struct CertificateFound {
  std::string client;
  std::optional<secure_aggregation::Certificate> certificate;
};
// Answers CountUpdate. The update is in the sum, or nothing of it is; either way the shell has released it.
struct UpdateChecked {
  std::string client;
  Result<void> outcome;
};
// Answers CommitRound: the round is durable.
struct RoundCommitted {
  RoundId round;
  Digest model;
  PublishedModel published = {};
  SumRange next_range = {};  // of a secure sum
};
// Answers CommitRound where the opened sum is no sum of updates: nothing was committed.
struct SumRefused {
  RoundId round;
  std::string reason;
};
struct TickEvent {};
struct StopAsked {};
using Event = std::variant<MessageArrived, MessageMisdirected, MessageMalformed, PeerGone, CertificateFound,
                           UpdateChecked, RoundCommitted, SumRefused, TickEvent, StopAsked>;

}  // namespace hansa::server
