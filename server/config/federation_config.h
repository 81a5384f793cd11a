// federation.toml: what an aggregator is told. Read by federation_config.cpp; every key
// stands with meaning, unit, range and default in federation_schema.cpp, whence docs/configuration.md.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/time.h"
#include "common/training.h"
#include "learning/data/data_config.h"
#include "protocols/codecs/plan.h"
#include "protocols/secure_aggregation/identity.h"
#include "protocols/secure_aggregation/parameters.h"
#include "server/optimizers/optimizer_config.h"

namespace hansa::server {

enum class AfterLastRound : std::uint8_t { stop, stay };

struct CohortConfig {
  std::uint32_t clients_min = 2;  // connected clients that every round needs to start
  std::uint32_t clients_expected = 0;  // the first round waits up to `gather` for so many; 0: clients_min
  Duration gather = std::chrono::seconds(30);  // for clients_expected
  double fraction = 1.0;  // of the connected clients, picked for a round: above 0, to 1
  std::uint32_t size_max = 0;  // picked at most; 0: no limit
  double quorum = 0.8;  // of the cohort, whose updates a round needs: above 0, to 1
  Duration wait_max = std::chrono::seconds(120);  // for clients_min; then the aggregator gives up
  Duration deadline = std::chrono::seconds(300);  // of a round; then it closes if the quorum is there
  std::uint32_t attempts_max = 5;  // of one round that misses its quorum, before giving up
};

struct LimitsConfig {
  std::uint64_t examples_max = 1 << 20;  // a client's weight in a round, at most 2^29
  double magnitude_max = 64.0;  // a single value of an update
  std::uint32_t uploads_max = 8;  // updates received at the same time
  std::uint64_t spool_memory_mib = 160;  // updates kept in memory before files are used
};

struct SecureAggregationConfig {
  secure_aggregation::IdentityKey root{};  // certifies clients
  secure_aggregation::Assumptions assumptions;
  std::uint32_t value_bits = 3;
  bool rotated = true;
  double fraction = 1;
  std::vector<std::string> metrics;
  Duration phase = std::chrono::seconds(30);
};

struct CompressionConfig {
  codecs::Spec uplink;
  std::vector<codecs::Rule> rules;  // of the uplink
  codecs::Spec downlink;  // of steps from model to model; f32: models go whole
  std::uint32_t full_every = 0;  // rounds; 0: no more often than needed
  bool entropy = true;
};

struct FederationConfig {
  std::filesystem::path file;  // where it was read
  std::string name;  // letters, digits, '-', '_', '.': 1 to 64
  std::uint64_t seed = 1;
  std::uint32_t rounds = 20;
  AfterLastRound after_last_round = AfterLastRound::stop;

  std::string bind = "tcp://0.0.0.0:7470";
  std::filesystem::path key;  // aggregator's secret key file
  std::filesystem::path admitted;  // folder of NAME.pub: the admitted clients
  std::filesystem::path runs;  // folder that holds run folders

  std::filesystem::path model;  // TorchScript archive
  TrainingConfig training;
  CohortConfig cohort;
  LimitsConfig limits;
  ServerOptimizerConfig optimizer;
  CompressionConfig compression;
  std::optional<SecureAggregationConfig> secure_aggregation;  // if enabled
  std::optional<learning::DataConfig> evaluation;  // held-out data
  std::uint32_t evaluation_every = 1;  // rounds
  int evaluation_threads = 1;
  std::vector<std::filesystem::path> simulated_clients;  // [simulation] clients = "clients/*.toml", sorted
};

// Relative paths in the file are relative to the file's folder. Fails (usage) with
// "federation.toml:LINE: KEY: what is wrong; hint" on the first wrong or unknown key.
[[nodiscard]] Result<FederationConfig> read_federation_config(const std::filesystem::path& file);

}  // namespace hansa::server
