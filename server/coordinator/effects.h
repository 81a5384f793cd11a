// What the coordinator decides: effects, which the engine carries out in order.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/digest.h"
#include "common/identifiers.h"
#include "common/log_events.h"
#include "protocols/messages/messages.h"
#include "protocols/secure_aggregation/revealed_sum.h"
#include "server/aggregation/update_setup.h"
#include "server/store/store.h"

namespace hansa::server {

struct Send {
  PeerId peer;
  SessionId session;
  messages::ToClient message;
};
// Sends a chunk of a blob: the archive, the published model, a delta to it, or a vector of the training method. Between
// CommitRound and its answer, only chunks of the archive and of CommitRound::fetched are requested.
struct SendBlob {
  PeerId peer;
  SessionId session;
  Digest blob;
  std::uint64_t offset;
  std::uint64_t bytes;
};
// Sends a message with all of its bulk.
struct SendHeld {
  PeerId peer;
  SessionId session;
  messages::ToClient message;
  std::shared_ptr<const std::vector<std::byte>> bulk;
};
// Asks for the certificate of a client whose session was opened. Answered by CertificateFound.
struct FindCertificate {
  std::string client;
};

// An attempt at a round begins.
struct RoundStarted {
  RoundId round;
  std::uint32_t cohort = 0;  // clients
};
// From now on the attempt's updates may arrive. For masked updates this is when the roster is fixed.
struct BeginUpdates {
  RoundSetup setup;
};
struct OpenUpdate {
  UpdateTicket ticket;
};
struct AppendUpdate {
  std::string client;
};  // the bulk of the current event
// The update is complete: verify it, then count or reject it. Answered by UpdateChecked; the update is closed then.
struct CountUpdate {
  std::string client;
  std::optional<CountTerms> terms = {};  // of an update of a buffer
};
// Removes the update from the sum, unless it was counted.
struct DropUpdate {
  std::string client;
};
// Ends a sum that will not be opened, one of several at the same time. No update of it is open.
struct DropSum {
  SumNumber sum = 0;
};
// Computes what unmasks a secure sum, which may take seconds. Answered by MasksOpened.
struct OpenMasks {
  secure_aggregation::RevealedSum revealed;
  secure_aggregation::OpeningEffort effort{};
};
// Answered by RoundCommitted, or by SumRefused. The engine fills in the record's model, state, times of day and byte
// counts. Until the answer, no effect concerns updates and none is open; in a buffer, updates are opened, appended and
// dropped, and not counted. With groups (docs/round.md), no effect concerns updates of the sum that is committed.
struct CommitRound {
  RoundRecord record;
  std::optional<SumOpening> opening = {};  // only for a secure sum
  std::uint64_t clients = 0;  // of the federation, whether they took part or not
  double output_scale = 1;  // the option "output_scale" of the round's method
  // Names of published models, of the current one or earlier ones, that clients still fetch: served until the next commit.
  std::vector<Digest> fetched = {};
};

// An attempt at a round came to nothing, and the round will be made again.
struct AttemptAbandoned {
  RoundId round;
  std::uint32_t attempt = 1;
  AbandonCause cause = AbandonCause::unknown;
  std::string reason;
};

// Ends the connection of a peer that sent more than it may.
struct Disconnect {
  PeerId peer;
};
// Ends all connections of a client that is not admitted any more.
struct DisconnectClient {
  std::string client;
};

struct Log {
  enum class Level : std::uint8_t { debug, info, warning } level;
  std::string text;
  std::string client = {};  // that the line is about
  // Why the client causes this line, of which it causes a bounded number (common/log_budget.h). Empty: other causes.
  std::string_view about = {};
  LogEvent event = LogEvent::none;
  // The coordinator adds both to each of its lines.
  std::optional<RoundId> round = {};  // the current one, or the next
  std::string_view phase = {};  // a literal: name(Phase)
};
// The aggregator ends. Later Hellos are answered, and nothing else happens. This effect never comes between CommitRound
// and its answer.
struct Finish {
  enum class Why : std::uint8_t { all_rounds, stopped, gave_up } why;
  std::string text;
  std::string hint = {};  // gave_up: what the operator can do
};

using Effect = std::variant<Send, SendBlob, SendHeld, FindCertificate, RoundStarted, BeginUpdates, OpenUpdate,
                            AppendUpdate, CountUpdate, DropUpdate, DropSum, OpenMasks, CommitRound,
                            AttemptAbandoned, Disconnect, DisconnectClient, Log, Finish>;

}  // namespace hansa::server
