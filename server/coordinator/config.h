// The configuration of a coordinator, grouped by origin: the operator, the model archive, the store, the process.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/checksum.h"
#include "common/digest.h"
#include "common/identifiers.h"
#include "common/time.h"
#include "common/methods.h"
#include "common/utc.h"
#include "protocols/codecs/plan.h"
#include "protocols/messages/messages.h"
#include "protocols/secure_aggregation/model_manifest.h"
#include "protocols/secure_aggregation/parameters.h"
#include "server/config/federation_config.h"
#include "server/methods/rate_schedule.h"
#include "server/selection/reliability.h"

namespace hansa::server {

// Secure aggregation as the operator set it.
struct SecureSums {
  secure_aggregation::Assumptions assumptions;
  std::uint32_t value_bits = 8;
  bool rotated = false;
  double fraction = 1;  // fraction of the values that a round sums
  // Longest wait of each exchange, except that of the masked vectors, which the round's deadline limits.
  Duration phase_max = std::chrono::seconds(30);
  std::vector<std::string> metrics;  // the clients' metrics that are summed
  std::uint32_t certificate_epoch = 1;
  std::optional<std::uint32_t> honest_min = {};  // of the clients' policies; empty: the threat model's
};

// How models and updates are encoded: the operator's codecs, applied to the model's layout.
struct Compression {
  // The plan of a complete update: the model's delta, then each exchanged vector. Null: updates are sent as float32.
  // Secure sums ignore it, because they round updates to ring elements.
  std::shared_ptr<const codecs::Plan> uplink;
  bool entropy = true;
  std::shared_ptr<const codecs::Plan> downlink;  // of model deltas; null: models are sent in full
  // Rounds after which the model is sent in full. 0: only if no deltas lead to it.
  std::uint32_t full_every = 0;
};

struct OperatorSettings {
  std::string federation;
  std::uint64_t seed = 0;  // root of cohorts and of the clients' training
  std::uint32_t rounds = 1;  // 0: no end
  AfterLastRound after_last_round = AfterLastRound::stop;
  Method method = sgd_method({});  // of the clients' training
  RateSchedule rate_schedule = {};  // of its learning rate
  std::vector<ExchangedVector> vectors;  // exchanged by the method
  CohortConfig cohort;
  ScheduleConfig schedule = {};
  SelectionConfig selection;
  AggregationConfig aggregation;
  LimitsConfig limits;
  std::optional<SecureSums> secure_sums;  // empty: the aggregator sees every update
  std::vector<std::string> admitted;  // names, to report who is missing
  // What the data of every client must be; each client compares before it takes part. Empty: not compared.
  std::optional<DataContract> contract = {};
  std::optional<ClientEvaluation> client_evaluation = {};  // empty: clients train on all of their examples
  // The values of all updates are integers of at most this magnitude, each update has the weight 1, and their sum is
  // exact. Empty: updates are of real numbers, weighted by examples.
  std::optional<std::uint32_t> integers_max = {};
};

// Facts about the model archive.
struct ModelFacts {
  Digest archive;
  std::uint64_t archive_bytes = 0;
  Digest layout;
  // The operator's signature of archive and layout.
  std::optional<secure_aggregation::ModelApproval> approval;
  std::uint64_t elements = 0;  // of the flat vector
  // A segment for each parameter and buffer, in the order of the flat vector, with scales of 1. Empty: one segment.
  std::vector<secure_aggregation::Segment> segments;
};

// The model that clients receive, and the deltas that lead to it from models that they may hold.
struct PublishedModel {
  Digest model;  // its name
  Checksum check;
  std::vector<messages::ModelDelta> deltas;
  // The method's vectors, in the order of OperatorSettings::vectors; always fetched in full.
  struct Vector {
    Digest blob;
    Checksum check;
    Digest values = {};
  };
  std::vector<Vector> vectors = {};
  // The digest of the model's values (common/vector_digest.h), which clients sign in secure sums; otherwise zero.
  Digest values = {};
};

// The range of the values in secure sums, for unweighted values. Each round measures it for the next one.
struct SumRange {
  double clip = 0;  // 0: not known
  std::vector<double> scales;
};

// The state that was restored from the store.
struct RestoredState {
  std::string run;
  RoundId last_committed;
  Digest model;
  PublishedModel published;
  SumRange sum_range = {};
  std::optional<UtcSeconds> last_started = {};  // the start of the last committed round
  // By client, the task of its last update that is in a model, or several of which one is it.
  std::map<std::string, std::vector<TaskId>, std::less<>> counted = {};
};

// Settings that only this process has.
struct ProcessSettings {
  std::uint64_t session_seed = 0;  // different at every start, so that session numbers never repeat
  Duration lease = std::chrono::seconds(30);  // silence after which a client's session ends
  Duration absence = std::chrono::seconds(5);  // without a connection for longer, a client's session ends
  Duration ping = std::chrono::seconds(2);  // silence after which a client is sent a Ping
  Duration probe = std::chrono::seconds(2);  // time the old session has to answer when a second one appears
  // An overdue round does not wait longer than this for a transfer without a byte.
  Duration stall = std::chrono::seconds(60);
  // libzmq holds one encrypted chunk for each client that fetches a model: larger chunks need more memory, smaller ones
  // more messages (docs/performance.md).
  std::uint32_t chunk_bytes = 256 * 1024;
  bool is_first_start = true;  // of the run: no process worked on it before
  std::vector<FaultRecord> faults = {};  // of clients, as an earlier process left them
  // The time of day, for the schedule of rounds only. Empty: the seconds of the events' time, for simulations.
  std::function<UtcSeconds()> time_of_day = {};
};

struct CoordinatorConfig {
  OperatorSettings settings;
  Compression compression;
  ModelFacts model;
  // Inputs of every task after those of the method, whose values never change. The engine fills them in.
  std::vector<messages::TaskInput> constants = {};
  ProcessSettings process;

  // The number of values of an update: the model's delta, then the output for each exchanged vector.
  [[nodiscard]] std::uint64_t update_elements() const {
    return model.elements * (1 + settings.vectors.size());
  }
};

}  // namespace hansa::server
