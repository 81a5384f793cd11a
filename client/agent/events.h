// The events of the device agent, as values that its shell creates.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "common/checksum.h"
#include "common/data_description.h"
#include "common/error.h"
#include "common/identifiers.h"
#include "common/utc.h"
#include "protocols/messages/messages.h"
#include "protocols/round/client_task.h"

namespace hansa::client {

struct LinkUp {};
struct LinkDown {
  Error error;
};
struct Received {
  SessionId session;
  const messages::ToClient& message;
  std::span<const std::byte> bulk = {};
  UtcSeconds at = {};  // the device's clock, which may be wrong; 1970: not known
};
struct ReceivedMalformed {
  const Error& error;
};
struct ArchiveLookedUp {
  round::ArchiveCache archive;
  std::vector<round::HeldVector> held = {};
};  // answers FindArchive
struct BlobChecked {
  Digest blob;
  bool valid = false;
};  // answers VerifyBlob
struct TrainingEnded {
  TaskId task;
  Result<messages::Offer> outcome;
};
struct UpdateMasked {
  TaskId task;
  Digest setup;  // of the sum for which the update is masked
  Checksum update;
  std::uint64_t bytes = 0;
};  // answers MaskUpdate
struct OpeningRemembered {
  TaskId task;
  Digest setup;
  Result<void> done;
};  // answers RememberOpening
struct DataKnown {
  messages::DataReport data;  // its notices are sent to the aggregator once
  std::optional<DataDescription> description = {};  // of the data; empty: not known
};
struct TickEvent {};
struct StopAsked {};
using Event = std::variant<LinkUp, LinkDown, Received, ReceivedMalformed, ArchiveLookedUp, BlobChecked,
                           TrainingEnded, UpdateMasked, OpeningRemembered, DataKnown, TickEvent, StopAsked>;

}  // namespace hansa::client
