// What the device agent asks its shell to do: values, to be carried out in order.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/identifiers.h"
#include "common/log_events.h"
#include "common/secret.h"
#include "common/training.h"
#include "protocols/messages/messages.h"
#include "protocols/secure_aggregation/client.h"

namespace hansa::client {

using SharedTask = std::shared_ptr<const messages::TrainTask>;

struct OpenLink {
  std::uint64_t attempt;
};  // attempt: counted from 0 since the last Welcome; selects the address
struct CloseLink {};
struct Send {
  SessionId session;
  messages::ToAggregator message;
};
struct SendUpdateRange {
  SessionId session;
  TaskId task;
  std::uint64_t offset;
  std::uint64_t bytes;
  bool masked = false;  // a range of the masked update; the trained one never leaves the device
};
struct FindArchive {
  Digest archive;
};
struct KeepChunk {
  SharedTask task;
  Digest blob;
  std::uint64_t offset;
};  // the bulk of the current event
struct VerifyBlob {
  SharedTask task;
  Digest blob;
};
struct StartTraining {
  SharedTask task;
};
struct StopTraining {};
struct MaskUpdate {
  TaskId task;
  secure_aggregation::SumSetup setup;
  std::vector<secure_aggregation::MaskTerm> terms;
  Secret32 rounding_seed;
  std::uint64_t examples = 0;
  Metrics metrics;
};  // round, mask and pack the trained update; answered by UpdateMasked
struct RememberOpening {
  TaskId task;
  Digest setup;
  secure_aggregation::OpenedSum sum;
};  // store durably that the client helps to open the sum; answered by OpeningRemembered
struct KeepCounted {
  TaskId task;
};  // the aggregator counted its update: the examples that it was trained on are no longer new
struct KeepLastModel {
  std::uint64_t offset;
  std::uint64_t bytes_total;
};  // the bulk of the current event is a part of the federation's last model
struct ServeLastModel {
  SharedTask task;  // the last one of this device
  RoundId round;  // the last round
  Digest model;
};  // the last model is complete: check it, and write it for the programs of this device
struct Log {
  enum class Level : std::uint8_t { debug, info, warning, error } level;
  std::string text;
  LogEvent event = LogEvent::none;
  // The agent adds both to each of its lines.
  std::optional<RoundId> round = {};  // of the current task
  std::string_view phase = {};  // Agent::phase(), a literal
};
struct Exit {
  enum class Why : std::uint8_t { finished, stopped } why;
};
using Effect = std::variant<OpenLink, CloseLink, Send, SendUpdateRange, FindArchive, KeepChunk, VerifyBlob,
                            StartTraining, StopTraining, MaskUpdate, RememberOpening, KeepCounted,
                            KeepLastModel, ServeLastModel, Log, Exit>;

}  // namespace hansa::client
