// A whole federation in one process: the real engines of aggregator and clients, an in-memory
// network, and a virtual clock that moves only when nothing is left to do.
//
// Crashes happen between any two effects of either side; a host comes back with what its disk holds.
// The same options give the same run. One thread; trainings may run on a worker pool.
#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/engine/engine.h"
#include "common/error.h"
#include "common/random.h"
#include "learning/trainer.h"
#include "server/engine/engine.h"
#include "simulation/event_queue.h"
#include "simulation/network.h"
#include "simulation/training_pool.h"

namespace hansa::simulation {

struct CrashFaults {
  double aggregator_per_effect = 0;
  double client_per_effect = 0;
  std::uint64_t aggregator_at_effect =
      0;  // once, before this effect of all its lives (1: the first); 0: never
  std::uint32_t crashes_max = 0;  // of all hosts together, so that a run ends
  Duration down_max = std::chrono::seconds(20);
};

struct ClientSetup {
  std::string name;
  std::shared_ptr<learning::Trainer> trainer;
  Duration starts_after{};
  std::shared_ptr<learning::DataSupply> data = {};  // asked again after a counted update; may be none
  std::optional<client::SecureSums> secure_sums = {};
  // Opens what the device keeps on its disk; called at each start of the client. Without it, nothing is kept.
  std::function<Result<std::shared_ptr<client::DeviceLedger>>()> open_ledger = {};
};

struct FederationOptions {
  server::EngineConfig aggregator;  // before_effect and wall_clock are the simulation's
  std::vector<ClientSetup> clients;
  std::string federation;
  std::uint64_t seed = 0;  // of latencies, faults and crashes
  NetworkFaults network;
  CrashFaults crashes;
  Duration training_max{};  // virtual time of one training: up to this
  Duration faults_end = std::chrono::hours(24);  // after this the world is kind
  Duration time_max = std::chrono::hours(24);  // virtual; then the run is given up
  std::filesystem::path archive;  // clients find it here when they have it
  bool clients_have_archive = false;
  unsigned threads = 0;  // of the training pool; 0: trainings run in turn, at once
  std::optional<std::uint64_t> arrival_seed;  // shuffles the order in which finished trainings arrive
  std::function<void(std::span<const std::byte>)> aggregator_hears;  // every frame that reaches it
};

struct FederationOutcome {
  server::Finish finish{server::Finish::Why::gave_up, "did not end"};
  RoundId last_committed;
  Digest model;
  std::uint32_t crashes = 0;
  std::uint64_t aggregator_effects = 0;  // of all its lives
  Duration virtual_time{};
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
};

class Federation {
 public:
  // store_factory opens the aggregator's store on its disk; called at every start of the aggregator.
  using StoreFactory = std::function<Result<std::unique_ptr<server::Store>>()>;
  Federation(FederationOptions options, StoreFactory store_factory, server::EngineObserver& observer,
             std::filesystem::path spool_folder);
  ~Federation();

  // Until the aggregator is finished. When stop becomes true (a signal sets it) it is stopped cleanly.
  [[nodiscard]] Result<FederationOutcome> run(const std::atomic<bool>& stop);
  [[nodiscard]] server::Store* store() { return store_.get(); }
  [[nodiscard]] const server::Engine* aggregator() const { return aggregator_.get(); }

 private:
  class AggregatorOutbox;
  struct ClientHost;
  struct SimulatedCrash {};

  [[nodiscard]] Result<void> start_aggregator();
  void crash_aggregator();
  void with_aggregator(const std::function<void(server::Engine&)>& action);
  void schedule_aggregator_tick();
  void start_client(ClientHost& host);
  void crash_client(ClientHost& host);
  void with_client(ClientHost& host, const std::function<void(client::Engine&)>& action);
  void schedule_client_tick(ClientHost& host);
  void maybe_crash(double probability);
  void crash();
  void start_training(ClientHost& host, const messages::TrainTask& task,
                      const learning::TrainingRequest& request,
                      const std::shared_ptr<client::TaskVectors>& vectors);
  void deliver_finished_trainings();

  FederationOptions options_;
  StoreFactory store_factory_;
  server::EngineObserver& observer_;
  EventQueue events_;
  Random random_;
  std::unique_ptr<Network> network_;
  server::WorkerPool workers_;
  server::SpoolPool spools_;
  server::InlineExecutor executor_;
  std::unique_ptr<AggregatorOutbox> outbox_;
  std::unique_ptr<server::Store> store_;
  std::unique_ptr<server::Engine> aggregator_;
  std::uint64_t aggregator_life_ = 0;
  std::map<std::string, std::unique_ptr<ClientHost>> clients_;
  std::unique_ptr<TrainingPool> pool_;
  std::optional<Random> arrival_;
  std::optional<Error> start_failure_;
  std::uint32_t crashes_ = 0;
  std::uint64_t aggregator_effects_ = 0;
  std::uint64_t bytes_up_ = 0;
  std::uint64_t bytes_down_ = 0;
};

}  // namespace hansa::simulation
