// The configuration of a coordinator, by origin: the operator, the model archive, the store, the process.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/checksum.h"
#include "common/digest.h"
#include "common/identifiers.h"
#include "common/time.h"
#include "common/methods.h"
#include "protocols/codecs/plan.h"
#include "protocols/messages/messages.h"
#include "protocols/secure_aggregation/parameters.h"
#include "server/config/federation_config.h"

namespace hansa::server {

// Secure aggregation as the operator set it.
struct SecureSums {
  secure_aggregation::Assumptions assumptions;
  std::uint32_t value_bits = 8;
  bool rotated = false;
  double fraction = 1;  // of the values, summed in a round
  // Longest wait of each exchange but the masked vectors', whose limit is the round's deadline.
  Duration phase_max = std::chrono::seconds(30);
  std::vector<std::string> metrics;  // the clients' metrics that are summed
};

// How models and updates travel: the operator's codecs, laid out for the model.
struct Compression {
  // None: updates travel as float32. Secure sums ignore it: their updates are rounded for the ring instead.
  std::shared_ptr<const codecs::Plan>
      uplink;  // of a whole update: the model's part, then each exchanged vector's
  bool entropy = true;
  std::shared_ptr<const codecs::Plan> downlink;  // of model deltas; none: models are sent in full
  std::uint32_t full_every =
      0;  // rounds after which the model is sent in full; 0: only where no deltas lead to it
};

struct OperatorSettings {
  std::string federation;
  std::uint64_t seed = 0;  // root of cohorts and of the clients' training
  std::uint32_t rounds = 1;
  AfterLastRound after_last_round = AfterLastRound::stop;
  Method method = sgd_method({});  // of the clients' training
  std::vector<ExchangedVector> vectors;  // that the method exchanges
  CohortConfig cohort;
  std::string selection = "uniform";  // server/selection
  AggregationConfig aggregation;
  LimitsConfig limits;
  std::optional<SecureSums> secure_sums;  // none: the aggregator sees every update
  std::vector<std::string> admitted;  // names, to report who is missing
};

// What is known of the archive.
struct ModelFacts {
  Digest archive;
  std::uint64_t archive_bytes = 0;
  Digest layout;
  std::uint64_t elements = 0;  // of the flat vector
  std::vector<std::uint64_t>
      segments;  // values of each parameter, in the order of the flat vector; empty: one segment
};

// What clients get as the model, and the deltas that lead to it from models that they may have.
struct PublishedModel {
  Digest model;
  Checksum check;
  std::vector<messages::ModelDelta> deltas;
  // The method's vectors, in the order of OperatorSettings::vectors; always fetched in full.
  struct Vector {
    Digest blob;
    Checksum check;
  };
  std::vector<Vector> vectors = {};
};

// Range of the values in secure sums, measured in one round for the next, for unweighted values.
struct SumRange {
  double clip = 0;  // 0: not known
  std::vector<double> scales;
};

// What was restored from the store.
struct RestoredState {
  std::string run;
  RoundId last_committed;
  Digest model;
  PublishedModel published;
  SumRange sum_range = {};
};

// What belongs to this process alone.
struct ProcessSettings {
  std::uint64_t session_seed = 0;  // fresh at every start: session numbers never repeat
  Duration lease = std::chrono::seconds(30);  // silence after which a client's session ends
  Duration absence =
      std::chrono::seconds(5);  // time without a connection after which a client's session ends
  Duration ping = std::chrono::seconds(2);  // silence after which a client is sent a Ping
  Duration probe = std::chrono::seconds(2);  // time the old session has to answer when a second one appears
  Duration stall = std::chrono::seconds(60);  // of a transfer without a byte, in a round that is overdue
  // libzmq holds one encrypted chunk for each client that is sent a model: a bound on memory that
  // docs/performance.md weighs against the messages of a small round.
  std::uint32_t chunk_bytes = 256 * 1024;
};

struct CoordinatorConfig {
  OperatorSettings settings;
  Compression compression;
  ModelFacts model;
  ProcessSettings process;

  // Values of an update: the model's delta, then the output for each exchanged vector.
  [[nodiscard]] std::uint64_t update_elements() const {
    return model.elements * (1 + settings.vectors.size());
  }
};

}  // namespace hansa::server
