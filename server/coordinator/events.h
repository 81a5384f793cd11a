// The events that the shell passes to a coordinator.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/error.h"
#include "common/identifiers.h"
#include "protocols/messages/messages.h"
#include "protocols/secure_aggregation/identity.h"
#include "protocols/secure_aggregation/revealed_sum.h"
#include "server/coordinator/config.h"

namespace hansa::server {

struct MessageArrived {
  PeerId peer;
  std::string_view client;  // the name that the transport authenticated
  SessionId session;  // from the message's header
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
// A message could not be sent to this peer.
struct PeerGone {
  PeerId peer;
};
// Answers FindCertificate. Empty: the client takes no part in secure sums.
struct CertificateFound {
  std::string client;
  std::optional<secure_aggregation::Certificate> certificate;
};
// Answers CountUpdate. The update is counted, or nothing of it is in the sum. The shell has released it in both cases.
struct UpdateChecked {
  std::string client;
  Result<void> outcome;
  std::vector<double> norms = {};  // of the counted update's vectors, the delta first; empty: not known
};
// Answers OpenMasks. The coordinator takes the secrets out of `opened`.
struct MasksOpened {
  Digest context;  // of the sum
  std::shared_ptr<secure_aggregation::OpenedMasks> opened;
};
// Answers CommitRound: the round is durable.
struct RoundCommitted {
  RoundId round;
  Digest model;
  PublishedModel published = {};
  SumRange next_range = {};  // only after a secure sum
};
// Answers CommitRound if the opened sum is not a sum of updates. Nothing was committed.
struct SumRefused {
  RoundId round;
  std::string reason;
};
// The operator changed the admitted clients. `removed`: those whose key is not admitted any more, or that have another
// key now.
struct AdmissionChanged {
  std::vector<std::string> admitted;
  std::vector<std::string> removed;
};
// No further round is wanted; one that is running is finished.
struct EnoughReached {
  std::string why;  // a sentence without a full stop
};
// The operator wants these clients to take part again in spite of their faults.
struct FaultsForgiven {
  std::vector<std::string> clients;
};
struct TickEvent {};
struct StopAsked {};
using Event = std::variant<MessageArrived, MessageMisdirected, MessageMalformed, PeerGone, CertificateFound,
                           UpdateChecked, MasksOpened, RoundCommitted, SumRefused, AdmissionChanged,
                           EnoughReached, FaultsForgiven, TickEvent, StopAsked>;

}  // namespace hansa::server
