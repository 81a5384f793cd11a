// A client's task: inputs, a method, outputs. Defines TrainTask, its parts, and values that are derived from them.
//
// Nothing here assumes that the clients of a round have the same options, number of steps or codecs.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/checksum.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/hold_out.h"
#include "common/identifiers.h"
#include "common/methods.h"
#include "protocols/codecs/plan.h"
#include "protocols/messages/type.h"
#include "protocols/secure_aggregation/messages.h"
#include "protocols/secure_aggregation/model_manifest.h"
#include "protocols/secure_aggregation/roster.h"

namespace hansa::messages {

inline constexpr std::size_t inputs_max = 16;
inline constexpr std::size_t outputs_max = 16;
inline constexpr std::size_t options_max = 64;  // of a method
inline constexpr std::size_t option_texts_max = 64;  // of an option that is a list; each of name_bytes_max
static_assert(personal_max <= option_texts_max && personal_bytes_max <= name_bytes_max,
              "patterns fit in an option");
inline constexpr std::size_t deltas_max = 16;

// An encoded difference (codecs/update.h) from the vector `base` to the next one, whose name is name_of(delta). A
// client that has `base` fetches this blob instead of the next vector.
struct ModelDelta {
  Digest base;
  Digest blob;
  std::uint64_t bytes = 0;
};
// An alternative to fetching a vector in full. The base of each delta is the result of the previous one; the result of
// the last delta is the input's vector.
struct ModelDeltas {
  std::vector<codecs::Segment> segments;
  std::vector<ModelDelta> deltas;  // 1 to deltas_max
};

// A named float32 vector that the client needs. The first input of a task is "model".
struct TaskInput {
  std::string name;
  Digest vector;  // the name of its values
  std::uint64_t bytes = 0;
  Checksum check;
  std::optional<ModelDeltas> deltas;  // empty: the vector is fetched in full
  // The digest of the values (common/vector_digest.h). In the task of a secure sum, where the client verifies it before
  // it trains: the checksum and the name come from the aggregator alone, this digest is in what all clients sign.
  std::optional<Digest> values = {};
};

// A named float32 vector that the client computes. The first output of a task is "delta". The update is the
// concatenation of the outputs' vectors.
struct TaskOutput {
  std::string name;
  std::uint64_t values = 0;
  std::vector<codecs::Segment> segments;  // only in a task with compression
  friend bool operator==(const TaskOutput&, const TaskOutput&) = default;
};

// How an update is encoded (codecs/encoder.h). The segments of all outputs, in order, form one plan.
struct Compression {
  bool entropy = true;  // the encoded update is also compressed with zstd if that makes it smaller
  std::uint64_t cohort_seed = 0;  // the same for all clients of a round
  friend bool operator==(const Compression&, const Compression&) = default;
};

// For a task whose update goes into a secure sum: the part of SumSetup (secure_aggregation/setup.h) that is not in the
// task's other fields.
struct SecureTask {
  std::uint64_t seed = 0;  // the round's; the seeds of all clients are derived from it: training_seed()
  std::uint32_t attempt = 0;
  Digest nonce;
  std::uint32_t clients = 0;
  secure_aggregation::Quantisation quantisation;
  std::vector<secure_aggregation::Segment> segments;
  std::vector<std::string> metrics;
  secure_aggregation::Assumptions assumptions;
  std::uint32_t certificate_epoch = 1;
};

// aggregator -> client: train. Sent again after a reconnect.
struct TrainTask {
  static constexpr Type type{3, "TrainTask"};
  TaskId task;
  RoundId round;
  Digest archive;  // TorchScript archive; pulled once and kept
  std::uint64_t archive_bytes = 0;
  Digest layout;
  // The signature of archive and layout by the federation's root key. Empty: the operator has not signed the archive.
  std::optional<secure_aggregation::ModelApproval> approval;
  std::vector<TaskInput> inputs;  // 1 to inputs_max
  Method method;
  std::vector<TaskOutput> outputs;  // 1 to outputs_max
  std::uint64_t seed = 0;
  std::uint32_t deadline_ms = 0;  // time left for the update to be complete
  double magnitude_max = 0;  // an update with a larger value is refused
  std::optional<HoldOut> hold_out;  // empty: the client trains on all of its examples
  std::optional<Compression> compression;  // empty, and `secure` is empty: the update is float32
  std::optional<SecureTask> secure;  // empty: the aggregator sees the update
};

// For a task that a decoder or check() has accepted, so that it has at least one input and one output.
[[nodiscard]] const TaskInput& model_of(const TrainTask& task);
[[nodiscard]] std::uint64_t update_values(const TrainTask& task);
// The segments of the update's codec plan.
[[nodiscard]] std::vector<codecs::Segment> update_segments(const TrainTask& task);

// What a blob of a task is: the full vector of an input, or a delta to it.
struct InputBlob {
  const TaskInput* input;
  const ModelDelta* delta;  // null: the blob is the full vector
};
[[nodiscard]] std::optional<InputBlob> find_blob(const TrainTask& task, const Digest& blob);

// Fails (protocol), naming the fault, unless the first input is the model, the first output is its delta, names and
// blobs are distinct, and each vector has a whole number of values, at least one.
[[nodiscard]] Result<void> check(const TrainTask& task);

// The seeds for encoding the update of a task, and those for a delta.
[[nodiscard]] codecs::Seeds update_seeds(const TrainTask& task);
[[nodiscard]] codecs::Seeds delta_seeds(const ModelDelta& delta);
// The name of the vector that a delta leads to: SHA-256 of "hansa model step 1", base and blob. Base and blob determine
// the vector, so the vector itself is not hashed; the client verifies its checksum.
[[nodiscard]] Digest name_of(const ModelDelta& delta);
[[nodiscard]] Digest name_of(const Digest& base, const Digest& blob);

// The name of an input that has no deltas: SHA-256 of "hansa input 1", its vector's digest and its name. So inputs with
// equal values have different names; the blobs of a task must be distinct.
[[nodiscard]] Digest name_of_input(std::string_view input, const Digest& vector);

// The seed of a client's training in a round. In the task of a secure sum, the client verifies that its seed is this
// one, so that the aggregator cannot choose it for one client.
[[nodiscard]] std::uint64_t training_seed(std::uint64_t round_seed, std::string_view client);

// The digest of all that determines an update, except the data and the client's name: archive,
// layout, method with its options, inputs, outputs, limits and the seed of the round. The task is that of a secure sum.
[[nodiscard]] Digest digest_of_work(const TrainTask& task);

// The setup of the secure sum of a task that has one. Each of its inputs has `values`.
[[nodiscard]] secure_aggregation::SumSetup sum_setup(std::string_view federation, const TrainTask& task);

}  // namespace hansa::messages
