// What a coordinator decides, to be carried out in order.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/digest.h"
#include "common/identifiers.h"
#include "protocols/messages/messages.h"
#include "server/aggregation/update_form.h"
#include "server/store/store.h"

namespace hansa::server {

struct Send {
  PeerId peer;
  SessionId session;
  messages::Message message;
};
struct SendBlob {
  PeerId peer;
  SessionId session;
  Digest blob;
  std::uint64_t offset;
  std::uint64_t bytes;
};
// A whole blob that is not a model, in one frame.
struct SendHeld {
  PeerId peer;
  SessionId session;
  messages::Message message;
  std::shared_ptr<const std::vector<std::byte>> bulk;
};
// Answered by CertificateFound.
struct FindCertificate {
  std::string client;
};
struct RoundStarted {
  RoundId round;
  std::uint32_t cohort;
};
// Prepares for the updates of a round: when it starts or, for masked updates, when the roster is fixed.
struct BeginUpdates {
  RoundSetup setup;
};
struct OpenUpdate {
  UpdateTicket ticket;
};
// Appends the bulk of the current event.
struct AppendUpdate {
  std::string client;
};
// The update is complete: verify it, and count the whole or nothing of it; then release it. Answered by UpdateChecked.
struct CountUpdate {
  std::string client;
};
struct DropUpdate {
  std::string client;
};
// Times of day and byte counts are the shell's to fill in. Answered by RoundCommitted or SumRefused.
struct CommitRound {
  RoundRecord record;
  std::optional<SumOpening> opening = {};  // of masked updates
};
struct Log {
  enum class Level : std::uint8_t { info, warning } level;
  std::string text;
};
struct Finish {
  enum class Why : std::uint8_t { all_rounds, stopped, gave_up } why;
  std::string text;
};
using Effect =
    std::variant<Send, SendBlob, SendHeld, FindCertificate, RoundStarted, BeginUpdates, OpenUpdate,
                 AppendUpdate, CountUpdate, DropUpdate, CommitRound, Log, Finish>;

}  // namespace hansa::server
