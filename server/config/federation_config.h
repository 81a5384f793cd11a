// The settings of federation.toml, as values. federation_schema.cpp has the meaning, unit, range and default of every
// key; docs/configuration.md is generated from it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/config/variables.h"
#include "common/data_contract.h"
#include "common/error.h"
#include "common/time.h"
#include "common/methods.h"
#include "learning/data/data_config.h"
#include "protocols/codecs/plan.h"
#include "protocols/secure_aggregation/identity.h"
#include "protocols/secure_aggregation/parameters.h"
#include "server/aggregation/aggregation_config.h"
#include "server/divergence/divergence.h"
#include "server/divergence/until.h"
#include "server/methods/rate_schedule.h"
#include "server/optimizers/optimizer_config.h"
#include "server/retention/retention.h"
#include "server/schedule/schedule.h"
#include "server/selection/selection_config.h"

namespace hansa::server {

enum class AfterLastRound : std::uint8_t { stop, stay };

// synchronous: rounds of a cohort. buffered: clients train continuously, and every `updates` of their updates make a model.
enum class CohortMode : std::uint8_t { synchronous, buffered };

// [cohort.buffered]: Nguyen et al., "Federated Learning with Buffered Asynchronous Aggregation" (AISTATS 2022).
struct BufferedConfig {
  std::uint32_t updates = 10;  // K: the updates of a model, 1 to arrivals_max (server/store/store.h)
  // An update is dropped if more models were committed since the one that it was trained on: 0 to 1,000.
  std::uint32_t staleness_max = 20;
  std::uint32_t concurrency = 0;  // clients that train at the same time; 0: all that can take part
  // What an update counts, before its staleness: 1, or its examples.
  enum class Weights : std::uint8_t { updates, examples } weights = Weights::updates;
};

struct CohortConfig {
  CohortMode mode = CohortMode::synchronous;
  BufferedConfig buffered;
  std::uint32_t clients_min = 2;  // connected clients without which no round starts
  // Clients for which the first round waits up to `gather`; 0: clients_min.
  std::uint32_t clients_expected = 0;
  Duration gather = std::chrono::seconds(30);  // longest wait for clients_expected
  double fraction = 1.0;  // fraction of the connected clients that is selected for a round: above 0, to 1
  std::uint32_t size_max = 0;  // maximum number of selected clients; 0: no limit
  bool over_select = false;  // more clients are selected, by the drop rate of the last rounds (drop_rate.h)
  double quorum = 0.8;  // fraction of the cohort whose updates a round needs: above 0, to 1
  Duration wait_max{};  // longest wait for clients_min; then the aggregator fails; 0: it waits for ever
  Duration deadline = std::chrono::seconds(300);  // of a round, which then closes if it has its quorum
  // Attempts of one round that misses its quorum; then the aggregator fails; 0: no limit.
  std::uint32_t attempts_max = 0;
};

struct LimitsConfig {
  std::uint64_t examples_max = 1 << 20;  // maximum weight of a client in a round; itself at most 2^29
  double magnitude_max = 64.0;  // maximum magnitude of a value in an update
  double norm_ratio_max = 10.0;  // maximum norm of an update, in medians of its round
  std::uint32_t uploads_max = 8;  // updates received at the same time
  std::uint32_t connections_max = 20'000;  // open at the same time
  std::uint64_t spool_memory_mib = 160;  // memory for updates that are being received; then files are used
  std::uint64_t kept_updates_disk_mib = 16'384;  // of the updates that an aggregation rule keeps
};

struct SecureAggregationConfig {
  secure_aggregation::IdentityKey root{};  // the key that certifies clients
  secure_aggregation::Assumptions assumptions;
  std::uint32_t value_bits = 3;
  bool rotated = true;
  double fraction = 1;
  std::vector<std::string> metrics;
  std::optional<std::uint32_t> honest_min;  // that the clients require; empty: the threat model's
  std::uint32_t epoch = 1;  // of the certificates: those of earlier epochs do not hold
  Duration phase = std::chrono::seconds(30);
};

struct CompressionConfig {
  codecs::Spec uplink;
  std::vector<codecs::Rule> rules;  // for the uplink
  codecs::Spec downlink;  // of model deltas; f32: models are sent in full
  std::uint32_t full_every = 0;  // rounds until the model is sent in full again; 0: only when it is needed
  bool entropy = true;
};

// Evaluation on the clients: common/hold_out.h.
struct ClientEvaluation {
  double fraction = 0;  // of each client's examples: above 0, at most hold_out_fraction_max
  std::uint32_t every = 1;  // rounds from one measurement to the next
  friend bool operator==(const ClientEvaluation&, const ClientEvaluation&) = default;
};

// Mean and deviation over the data of all clients: common/column_statistics.h.
struct StatisticsConfig {
  std::uint32_t columns = 0;  // 1 to statistics_columns_max
  std::uint32_t version = 1;  // statistics of another version are computed again
  friend bool operator==(const StatisticsConfig&, const StatisticsConfig&) = default;
};

// [simulation]: how long trainings take on its clock.
struct SimulatedSpeeds {
  double training_s = 0;  // of the median client; 0: trainings take no time
  double spread = 0;  // standard deviation of the logarithm of the clients' times
};

struct FederationConfig {
  std::filesystem::path file;  // the file that was read
  config::Variables variables;  // with which it was read
  std::vector<std::string> notes;  // what in it has no effect, for the operator
  std::string name;  // letters, digits, '-', '_', '.': 1 to 64
  std::uint64_t seed = 1;
  std::uint32_t rounds = 20;  // 0: no end (server/config/rounds.h)
  AfterLastRound after_last_round = AfterLastRound::stop;

  std::string bind = "tcp://0.0.0.0:7470";
  std::filesystem::path key;  // aggregator's secret key file
  std::filesystem::path admitted;  // folder with a file NAME.pub for each admitted client
  std::filesystem::path runs;  // folder of the run folders
  Retention retention;  // of their models
  std::string best_metric = "accuracy";  // [store] metric: of the evaluation, by which rounds are compared
  DivergenceConfig divergence;

  std::filesystem::path model;  // TorchScript archive
  std::optional<DataContract> data_contract;  // of every client; empty: their data is not compared
  std::optional<StatisticsConfig> statistics;  // empty: the federation computes none
  Method method = sgd_method({});  // of the clients' training, with its options
  RateSchedule rate_schedule = {};  // of its learning rate
  std::vector<std::string> personal;  // patterns of what stays on each device (TrainingConfig::personal)
  SelectionConfig selection;
  CohortConfig cohort;
  ScheduleConfig schedule;
  UntilConfig until;
  LimitsConfig limits;
  AggregationConfig aggregation;
  ServerOptimizerConfig optimizer;
  CompressionConfig compression;
  std::optional<SecureAggregationConfig> secure_aggregation;  // empty: not enabled
  // The operator's root key, also if secure aggregation is not enabled. If it is set, it must have signed the model.
  std::optional<secure_aggregation::IdentityKey> root;
  std::optional<learning::DataConfig> evaluation;  // held-out data
  std::uint32_t evaluation_every = 1;  // rounds from one evaluation to the next
  int evaluation_threads = 1;
  std::optional<ClientEvaluation> client_evaluation;  // empty: clients train on all of their examples
  std::vector<std::filesystem::path> simulated_clients;  // matches of [simulation] clients, sorted
  SimulatedSpeeds simulated_speeds;
};

// Relative paths in the file are relative to the file's folder. Fails with `usage` and the text "federation.toml:LINE:
// KEY: WHAT; HINT" on the first wrong or unknown key.
// Variables replace values of the file; relative paths in them are relative to the file's folder too.
[[nodiscard]] Result<FederationConfig> read_federation_config(const std::filesystem::path& file,
                                                              const config::Variables& variables = {});
// environment: as `environ`. Fails (usage) if a variable with the prefix is for no key of federation.toml.
[[nodiscard]] Result<config::Variables> read_federation_variables(const char* const* environment);

}  // namespace hansa::server
