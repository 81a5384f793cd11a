// A federation of fake trainers with an in-memory disk. checks.h has what is expected of it.
#pragma once
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/ledger/opened_sums_store.h"
#include "protocols/codecs/plan.h"
#include "server/coordinator/task_id.h"
#include "server/store/memory_store.h"
#include "simulation/federation.h"
#include "simulation/identities.h"
#include "tests/simulation/fake_trainer.h"

namespace hansa::testing {

struct WorldOptions {
  std::uint64_t seed = 1;
  std::uint32_t clients = 5;
  std::uint32_t rounds = 4;
  std::uint32_t clients_min = 2;
  double quorum = 0.5;
  double fraction = 1.0;
  std::uint64_t elements = 700;
  std::uint32_t chunk_bytes = 256;
  std::uint32_t uploads_max = 2;
  simulation::NetworkFaults network;
  simulation::CrashFaults crashes;
  Duration training_max = std::chrono::seconds(5);
  unsigned threads = 0;
  std::optional<std::uint64_t> arrival_seed;
  bool keep_heard = false;
  std::optional<secure_aggregation::ThreatModel>
      secure;  // secure aggregation against an aggregator of this threat model
  double secure_fraction = 1;  // fraction of the values that are summed
  std::string uplink, downlink;  // names of codecs; empty: none
  std::uint32_t full_every = 0;
  server::ServerOptimizerConfig optimizer;
  server::AggregationConfig aggregation;  // check_models() recomputes the mean alone
  server::LimitsConfig limits;  // but for uploads_max
  std::optional<MethodDescription> method;  // that all clients know, in addition to those of Hansa; none: sgd
  server::Retention retention;  // check_models() needs all models
  std::optional<DataContract> contract;  // of the data
  std::optional<server::ClientEvaluation> client_evaluation;
  std::optional<server::BufferedConfig> buffered;  // buffered aggregation; none: rounds of cohorts
  std::vector<std::string> model_metrics;  // that the model's manifest names
  std::function<void(simulation::ClientSetup&)> equip;  // changes a client before the federation starts
  Duration wait_max = std::chrono::hours(2);  // 0: the aggregator waits for ever
  std::uint32_t attempts_max = 1000;  // 0: no limit
  Duration time_max = std::chrono::hours(24);
};

struct World {
  WorldOptions options;
  std::shared_ptr<server::MemoryDisk> disk = std::make_shared<server::MemoryDisk>();
  Result<simulation::FederationOutcome> outcome = tl::make_unexpected(Error{});
  std::uint64_t starts = 0;  // starts of the aggregator
  std::vector<std::string> lost;  // committed rounds that were missing after a restart
  std::vector<std::string> log;
  std::vector<std::string> client_log;  // of all clients: "client: text"
  std::map<std::string, client::SecureSums> identities;  // for secure aggregation
  std::map<std::string, std::shared_ptr<client::MemoryOpenedSums>>
      opened_sums;  // that clients helped to open
  server::Compression compression;
  std::string heard;  // all bytes that reached the aggregator, if requested

  void run();
};

// The number of examples of a client, "client-100" or a later one.
[[nodiscard]] std::uint64_t examples_of(const std::string& client);

// Every client has a speed of its own (log-normal, with this deviation), and each of its trainings varies a little. None takes
// longer than longest_s.
void give_speeds(World& world, double spread, double longest_s = std::numeric_limits<double>::infinity());

}  // namespace hansa::testing
