// Every message that an aggregator and a client exchange. docs/protocol.md is their specification.
//
// A message is one frame: a 12-byte header (codec.h) and a body in cereal's portable binary.
// Bulk bytes (parts of models and updates) travel in a second frame of their own, raw.
// Each field that has a length has a maximum, checked before anything is allocated.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/checksum.h"
#include "common/data_contract.h"
#include "common/digest.h"
#include "common/identifiers.h"
#include "common/training.h"
#include "protocols/messages/report.h"
#include "protocols/messages/task.h"
#include "protocols/messages/type.h"
#include "protocols/secure_aggregation/messages.h"

namespace hansa::messages {

// client -> aggregator: what the client has to train on. Part of Hello, and sent again whenever it changes.
struct DataReport {
  static constexpr Type type{17, "DataReport"};
  // Powers of two from a client that takes part in secure sums, which hide the exact numbers.
  std::uint64_t examples = 0;  // available now; 0 with a problem: cannot train
  std::uint64_t new_examples = 0;  // those on which no counted update was trained
  Report problem = {};  // why examples is 0, or why no more arrive
  // What else the operator should know. Each is sent once; at most reports_max.
  std::vector<Report> notices = {};
  // schema_digest() of the data: equal where the names, their order and the preparation are. 0: it has none, or there are no examples.
  std::uint64_t schema = 0;
};

// client -> aggregator: opens a session. It may be sent at any time; then it ends the open session and opens another. A
// frame of another protocol version is refused because of its header; its body is not read.
struct Hello {
  static constexpr Type type{0, "Hello"};
  std::string federation;
  std::uint64_t instance = 0;  // random at process start: distinguishes a reconnect from a second client
  std::string software;  // "hansa 0.1.0"
  DataReport data;
};

// aggregator -> client: the session is open; its number is in the header of all later messages.
struct Welcome {
  static constexpr Type type{1, "Welcome"};
  std::string client;  // the name under which the operator admitted the key
  std::string run;
  std::uint32_t lease_ms = 0;  // a client that is silent for longer loses its session
  std::uint32_t chunk_bytes = 0;  // largest bulk frame in both directions; at most bulk_bytes_max
  // What the data of the client must be. With a contract the data in Hello does not count: the client compares its data
  // and sends a DataReport.
  std::optional<DataContract> contract = {};
};

enum class RefuseReason : std::uint8_t {
  version,  // the protocol versions differ
  federation,  // the client belongs to another federation
  identity_in_use,  // another live client presents the same key
  unknown_session,  // say Hello again: the aggregator was restarted, or the lease ended
  malformed,  // a message that does not decode
  out_of_order,  // a message that does not belong here
};
// aggregator -> client: the session is not, or no longer, open.
struct Refuse {
  static constexpr Type type{2, "Refuse"};
  RefuseReason reason = RefuseReason::malformed;
  std::string what;
  std::string hint;
  std::uint32_t retry_after_ms = 0;
};

// aggregator -> client: the task's round is closed; stop working on it.
struct Cancel {
  static constexpr Type type{4, "Cancel"};
  TaskId task;
  std::string reason;
};

// client -> aggregator: this client will not do the task.
struct Decline {
  static constexpr Type type{5, "Decline"};
  TaskId task;
  Report report;
};

// client -> aggregator: send `bytes` bytes of a blob, starting at `offset`. A Pull is credit: only pulled bytes are
// sent. It also confirms that all bytes before `offset` have arrived.
struct Pull {
  static constexpr Type type{6, "Pull"};
  Digest blob;
  std::uint64_t offset = 0;
  std::uint32_t bytes = 0;  // 1 to pull_bytes_max
};
inline constexpr std::uint32_t pull_bytes_max = 16 << 20;
// aggregator -> client, with bulk.
struct BlobChunk {
  static constexpr Type type{7, "BlobChunk"};
  Digest blob;
  std::uint64_t offset = 0;
};
// aggregator -> client: the blob is not, or no longer, served.
struct Missing {
  static constexpr Type type{8, "Missing"};
  Digest blob;
};

// client -> aggregator: the update is ready and waits for a Grant.
struct Offer {
  static constexpr Type type{9, "Offer"};
  TaskId task;
  Checksum update;  // of the update's bytes
  std::uint64_t bytes = 0;
  std::uint64_t examples = 0;  // weight; 0 in a secure sum, where the masked vector contains it
  double train_seconds = 0;  // a power of two in a secure sum
  Metrics metrics;
  Digest setup;  // of the secure sum for which the update is masked; zero without one
};
// aggregator -> client: send the update's bytes from `offset` to `limit`. A Grant is credit. An empty range says that
// the bytes in flight are arriving.
struct Grant {
  static constexpr Type type{10, "Grant"};
  TaskId task;
  std::uint64_t offset = 0;
  std::uint64_t limit = 0;
};
// client -> aggregator, with bulk.
struct UpdateChunk {
  static constexpr Type type{11, "UpdateChunk"};
  TaskId task;
  std::uint64_t offset = 0;
};
enum class Verdict : std::uint8_t {
  counted,
  rejected,
  late,
  summed,  // a masked update is in the secure sum; it counts when the sum was opened and committed
};
// aggregator -> client: whether the update is in the sum. The client keeps an update that was counted or summed until
// another task comes: an aggregator that crashes before it commits asks for it again.
struct Receipt {
  static constexpr Type type{12, "Receipt"};
  TaskId task;
  Verdict verdict = Verdict::counted;
  std::string reason;
};

// Both directions: renews the lease, and asks for a Pong. A client names its current task (0: none), so that the
// aggregator can repeat a TrainTask that was lost.
struct Ping {
  static constexpr Type type{13, "Ping"};
  TaskId task;
};
struct Pong {
  static constexpr Type type{14, "Pong"};
  TaskId task;
};

// The messages of secure aggregation, in the order in which they are sent (docs/secure-aggregation.md). `setup` is the
// attempt's SumSetup::digest; a message with another one is stale.

// client -> aggregator: its keys for this sum.
struct KeyAdvert {
  static constexpr Type type{18, "KeyAdvert"};
  TaskId task;
  Digest setup;
  secure_aggregation::Advert advert;
};
// aggregator -> client, with bulk: the encoded roster.
struct KeyRoster {
  static constexpr Type type{19, "KeyRoster"};
  TaskId task;
  Digest setup;
};
// client -> aggregator: the encrypted shares for each of its neighbours, by ascending position.
struct EncryptedShares {
  static constexpr Type type{20, "EncryptedShares"};
  TaskId task;
  Digest setup;
  std::vector<secure_aggregation::SealedShares> shares;
};
// aggregator -> client: the shares that its neighbours sent it. Subsets are bits (secure_aggregation/messages.h).
struct ShareDelivery {
  static constexpr Type type{21, "ShareDelivery"};
  TaskId task;
  Digest setup;
  std::vector<std::uint8_t> sharers;
  std::vector<secure_aggregation::SealedShares> shares;
};
// aggregator -> client, under the active threat model: the clients whose masked vectors arrived. The receiver signs
// this set.
struct SurvivorSet {
  static constexpr Type type{22, "SurvivorSet"};
  TaskId task;
  Digest setup;
  std::vector<std::uint8_t> survivors;
};
// client -> aggregator.
struct SurvivorSignature {
  static constexpr Type type{23, "SurvivorSignature"};
  TaskId task;
  Digest setup;
  secure_aggregation::Signature signature{};
};
// aggregator -> client: reveal the shares that unmask the sum of these survivors.
struct UnmaskRequest {
  static constexpr Type type{24, "UnmaskRequest"};
  TaskId task;
  Digest setup;
  std::vector<std::uint8_t> survivors;
  std::vector<secure_aggregation::SignedBy> signatures;
};
// client -> aggregator.
struct UnmaskShares {
  static constexpr Type type{25, "UnmaskShares"};
  TaskId task;
  Digest setup;
  std::vector<std::array<std::uint8_t, 32>> shares;
};

// aggregator -> client: all rounds are done.
struct Finished {
  static constexpr Type type{15, "Finished"};
  RoundId round;
  Digest model;
};
// Both directions: the sender is leaving. After an aggregator's Bye a client tries again later.
struct Bye {
  static constexpr Type type{16, "Bye"};
  std::string reason;  // only from an aggregator; a client sends none
};

// The messages of each direction. Sending a message in the wrong direction does not compile; if such a message arrives,
// the decoder reports it (codec.h).
using ToClient = std::variant<Welcome, Refuse, TrainTask, Cancel, BlobChunk, Missing, Grant, Receipt, Ping,
                              Pong, Finished, Bye, KeyRoster, ShareDelivery, SurvivorSet, UnmaskRequest>;
using ToAggregator = std::variant<Hello, Decline, Pull, Offer, UpdateChunk, Ping, Pong, Bye, DataReport,
                                  KeyAdvert, EncryptedShares, SurvivorSignature, UnmaskShares>;

[[nodiscard]] Type type_of(const ToClient& message);
[[nodiscard]] Type type_of(const ToAggregator& message);
[[nodiscard]] std::string_view name(RefuseReason reason);

}  // namespace hansa::messages
