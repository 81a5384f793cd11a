// The part of a run's storage that the aggregator's engine and its simulation use. The store is the truth: the
// aggregator's state is rebuilt from it after a restart. run.h has everything else that a program needs of a run, and
// names the implementations.
//
// One thread at a time calls a store, except where a function says otherwise.
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/checksum.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/identifiers.h"
#include "common/training.h"

namespace hansa::server {

// Whether a selected client is in a round's sum, and if not, why.
enum class Outcome : std::uint8_t {
  counted,  // its update is in the sum
  no_answer,  // nothing from it before the round closed
  disconnected,  // its session ended and did not come back
  declined,  // it refused the task, with a reason
  rejected,  // its update was refused: checksum, size, value out of range
  late,  // its update was complete only after the round closed
};
[[nodiscard]] const char* name(Outcome outcome) noexcept;

struct Participation {
  std::string client;
  Outcome outcome = Outcome::no_answer;
  std::string reason;  // for people; empty when counted, unless the client lied about shares
  std::uint64_t examples = 0;  // weight, when counted
  Checksum update;  // of the update's bytes, when counted
  std::uint64_t bytes_up = 0;  // messages and bulk received in this attempt at the round
  std::uint64_t bytes_down = 0;
  double seconds = 0;  // from sending the task to the complete update
  double train_seconds = 0;  // as the client reports
  Metrics metrics;  // as the client reports
};

// The facts about a round with secure aggregation: totals, and how the exchange went.
struct SecureSumRecord {
  std::uint32_t neighbours = 0;  // k
  std::uint32_t threshold = 0;  // t
  std::uint32_t with_keys = 0;  // clients of the roster
  // Clients of the roster that shared their secrets and sent no masked vector: their masks were rebuilt.
  std::uint32_t recovered = 0;
  std::uint32_t value_bits = 0;  // of a ring element before masking
  std::uint32_t ring_bits = 0;
  // In this round and in the next one: the clip, and the scale of each segment for unweighted updates.
  double clip = 0, next_clip = 0;
  std::vector<double> scales, next_scales;
  double setup_seconds = 0;  // from the tasks to the last shares, concurrently with the training
  double unmask_seconds = 0;  // from the last masked vector to the last share that was needed
  std::uint64_t examples = 0;  // of all in the sum
  Metrics metrics;  // of all in the sum
  friend bool operator==(const SecureSumRecord&, const SecureSumRecord&) = default;
};

// The model that clients receive after a round, if it is an approximation of the round's model. It is the result of the
// deltas of all rounds since the last one that published its own model, applied in order (protocols/codecs/update.h).
struct Published {
  Digest model;  // its name: messages::name_of
  Checksum check;  // of its vector
  Digest delta;  // names the encoded difference to what was published before: SHA-256 of its bytes
  // The digest of the published vector, if it was stored with Store::put_model. A restart then continues from it and
  // needs no older delta.
  std::optional<Digest> vector = {};
  friend bool operator==(const Published&, const Published&) = default;
};

inline constexpr std::size_t delta_bytes_max = 1 << 30;

// The norms of more layers are not recorded, because they would be most of a run's database.
inline constexpr std::size_t layer_norms_max = 4096;

// A vector that a run carries from round to round, of the model's length: a server optimiser's, or a training method's.
struct StateVector {
  std::string name;
  Digest vector;  // stored with Store::put_model
  friend bool operator==(const StateVector&, const StateVector&) = default;
};

// An update that is in a model of buffered aggregation, and when it arrived.
struct Arrival {
  std::string client;
  RoundId base;  // the model that it was trained on; 0: the initial one
  std::uint32_t task = 0;  // its number among the client's tasks on that model, from 0
  std::uint32_t staleness = 0;  // models that were committed between the task and the arrival
  std::uint64_t weight = 0;  // in the sum; docs/round.md
  friend bool operator==(const Arrival&, const Arrival&) = default;
};
inline constexpr std::size_t arrivals_max = 10'000;  // of a model

struct RoundRecord {
  RoundId round;
  Digest model;  // the global model after this round
  Digest base;  // the global model before it
  std::string started_at;  // RFC 3339, UTC
  double seconds = 0;  // start to commit
  std::uint32_t attempt = 1;  // 1, or more if earlier attempts missed the quorum
  std::vector<Participation> participations;  // sorted by client
  std::optional<SecureSumRecord> secure = {};  // has the examples and metrics in place of the participations
  // Written by commit_round, read by Store::published. Empty: the round's model itself is published.
  std::optional<Published> published = {};
  std::vector<StateVector> state = {};  // after this round
  // Euclidean, of the mean of the updates' model deltas; NaN: not known, in a run of an older Hansa.
  double update_norm = std::numeric_limits<double>::quiet_NaN();
  // The same of each layer of the layout, in its order. Written by commit_round, read by Run::layer_norms: left empty by
  // what reads records. Empty: not known. For people: no digest covers them.
  std::vector<double> layer_norms = {};
  // Of buffered aggregation, in the order in which they were counted: arrivals_max at most. Written by commit_round, read
  // by arrivals(): left empty by what reads records. For people: no digest covers them.
  std::vector<Arrival> arrivals = {};
  // Whether the store still holds the model and the state: retention.h. Always true for the last committed round.
  bool model_kept = true;
};

// At which step an attempt at a round failed.
enum class AbandonCause : std::uint8_t {
  unknown,  // an attempt that an older Hansa recorded
  cohort,  // it did not begin
  updates,  // too few updates, or one that exceeds a limit in comparison with the others
  opening,  // the secure sum was not opened: too few clients helped, or they contradict each other
  refused_sum,  // the sum was opened, and is no sum of updates
};
[[nodiscard]] const char* name(AbandonCause cause) noexcept;
// unknown if no cause has this name.
[[nodiscard]] AbandonCause abandon_cause_of(std::string_view name) noexcept;

// An attempt at a round that came to nothing. Its round is made again, with the next attempt.
struct AbandonedAttempt {
  RoundId round;
  std::uint32_t attempt = 1;
  std::string at;  // RFC 3339, UTC
  AbandonCause cause = AbandonCause::unknown;
  std::string reason;  // for people; a part of it may come from a client
  friend bool operator==(const AbandonedAttempt&, const AbandonedAttempt&) = default;
};
// A run keeps the last ones.
inline constexpr std::size_t abandoned_attempts_max = 1000;

// A run that has all of its rounds. It may be continued with more.
struct RunEnd {
  RoundId after;  // its last round
  std::string at;  // RFC 3339, UTC
  std::string why;  // a sentence without a full stop
  friend bool operator==(const RunEnd&, const RunEnd&) = default;
};

// Simulated runs and those of real clients never continue each other.
enum class RunKind : std::uint8_t { production, simulated };

struct RunIdentity {
  std::string federation;  // name from federation.toml
  std::string run;  // folder name
  std::uint64_t seed = 0;
  Digest archive;
  Digest layout;
  Digest initial_model;  // round 0
  std::string started_from;  // "RUN@ROUND" or empty
  std::vector<StateVector> initial_state = {};  // before round 1; empty: all zero
  RunKind kind = RunKind::production;
};

class Store {
 public:
  virtual ~Store() = default;

  // The first call stores the identity. Later calls fail if the identity differs, and name the difference.
  [[nodiscard]] virtual Result<void> begin_run(const RunIdentity& identity,
                                               std::span<const float> initial_model) = 0;

  // Content-addressed, durable when it returns. A vector that is there already may be written again.
  [[nodiscard]] virtual Result<Digest> put_model(std::span<const float> parameters) = 0;
  // Fails (storage) if the file is missing, of another size, or does not match its digest.
  [[nodiscard]] virtual Result<void> get_model(const Digest& digest, std::span<float> parameters) = 0;

  // A delta to a published model, of at most delta_bytes_max bytes: content-addressed, durable when it returns. May run
  // concurrently with put_model.
  [[nodiscard]] virtual Result<Digest> put_delta(std::span<const std::byte> delta) = 0;
  // Fails (storage) if it is missing or does not match its digest.
  [[nodiscard]] virtual Result<std::vector<std::byte>> get_delta(const Digest& digest) = 0;

  // Whether the record of this round should name the published vector (Published::vector), because the store removes
  // deltas that a restart does not need.
  [[nodiscard]] virtual bool wants_published_vector(RoundId /*round*/) const { return false; }

  // One transaction, durable when it returns. Requires that the vectors and the delta that the record names are stored,
  // and that record.round is the last committed round + 1. Removes what the run's retention no longer keeps.
  [[nodiscard]] virtual Result<void> commit_round(const RoundRecord& record) = 0;
  // Adds or replaces a committed round's (or round 0's) held-out metrics.
  [[nodiscard]] virtual Result<void> record_evaluation(RoundId round, const Metrics& metrics) = 0;

  // For people: no digest covers it, and a restart does not depend on it.
  [[nodiscard]] virtual Result<void> record_abandoned(const AbandonedAttempt& attempt) = 0;

  // The last committed round; round 0 and the initial model when none is. Empty before begin_run.
  struct Position {
    RoundId round;
    Digest model;
  };
  [[nodiscard]] virtual Result<std::optional<Position>> position() = 0;
  [[nodiscard]] virtual Result<std::optional<RoundRecord>> round(RoundId round) = 0;
  // RoundRecord::arrivals of a round. Empty: it was not made by buffered aggregation.
  [[nodiscard]] virtual Result<std::vector<Arrival>> arrivals(RoundId round) = 0;
  [[nodiscard]] virtual Result<std::optional<Metrics>> evaluation(RoundId round) = 0;
  // What a committed round published in place of its model; empty if it published its model. Known for the last
  // committed round and the earlier ones, back to the round from which a restart continues (Published::vector, or a
  // round that published its model).
  [[nodiscard]] virtual Result<std::optional<Published>> published(RoundId round) = 0;
};

}  // namespace hansa::server
