// A federation of fake trainers with an in-memory disk, and independent checkers.
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

// Every client has a speed of its own (log-normal, with this deviation), and each of its trainings varies a little. None takes
// longer than longest_s.
void give_speeds(World& world, double spread, double longest_s = std::numeric_limits<double>::infinity());

// The update that the aggregator decodes, and the residual that the client keeps for its next update.
struct Sent {
  std::vector<std::byte> bytes;
  std::vector<float> kept;
};
[[nodiscard]] Sent send(const codecs::Plan& plan, std::span<const float> values, std::span<const float> kept,
                        const codecs::Seeds& seeds, float magnitude_max);
// The seeds of a client's update, and of the training before it.
[[nodiscard]] codecs::Seeds seeds_of(const World& world, RoundId round, const std::string& client);
// Updates the model that clients have from one round to the next. Returns an empty string if the record agrees.
[[nodiscard]] std::string publish(const World& world, const server::RoundRecord& record,
                                  const std::vector<float>& next, std::vector<float>& published,
                                  Digest& digest);
[[nodiscard]] std::uint64_t training_seed(const World& world, const server::Work& work,
                                          const std::string& client);

// Recomputes the models of all committed rounds in 128-bit integers, only from the fake trainers and the recorded
// participations. Returns an empty string if all agree, or else the difference. Updates and published models pass
// through the codecs; codecs with error feedback only in a world without faults. The vectors that a method exchanges
// are recomputed likewise.
std::string check_models(const World& world);
// The same for buffered aggregation, from the recorded arrivals (buffered_check.cpp): also that no update is in two models,
// that each counts what its staleness says, and that all models but the last one have the same number of updates.
std::string check_buffered_models(const World& world);
// The mean of a secure sum of the counted clients of a round, which trained `trained`: the ring elements that they round
// their updates to. work: of their training. left_over: what each client keeps of its values for its next update. Returns an
// empty string if the record agrees.
[[nodiscard]] std::string sum_securely(const World& world, const server::RoundRecord& record,
                                       const server::Work& work, const std::vector<float>& trained,
                                       std::map<std::string, std::vector<float>>& left_over,
                                       std::vector<float>& mean);
// The same for secure sums of groups, from the recorded arrivals (grouped_check.cpp): also that no client is in two groups on
// one model, and that each model is made of the sum of one group by its staleness.
std::string check_grouped_models(const World& world);
// What clients helped to open, in all of their lives: no two sums of the same update of a client show, by their
// difference, the updates of few clients.
std::string check_opened_sums(const World& world);
// The same for secure sums: the mean of the ring elements that the counted clients round their updates to.
std::string check_secure_models(const World& world);
// Each selected client is recorded once, and at least the quorum is counted.
std::string check_records(const World& world);

}  // namespace hansa::testing
