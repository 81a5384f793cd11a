// A whole federation in one process: the engines of aggregator and clients as in production, an in-memory network, and
// a virtual clock that advances only when nothing is left to do.
//
// A host may crash between any two of its effects, and restarts with the content of its disk. Equal options give equal
// runs. One thread; trainings may run on a worker pool.
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
  // Crashes the aggregator once, before this effect (1: the first one), counted over all its starts; 0: never.
  std::uint64_t aggregator_at_effect = 0;
  std::uint32_t crashes_max = 0;  // over all hosts, so that a run ends
  Duration down_max = std::chrono::seconds(20);
};

// Data that arrives at a client while the federation runs: the client looks at its data again.
struct DataArrival {
  Duration after{};  // the start of the federation
  std::function<void()> arrives;
};

struct ClientSetup {
  std::string name;
  std::shared_ptr<learning::Trainer> trainer;
  Duration starts_after{};
  std::optional<Duration> leaves_after = {};  // says Bye and ends, as a device that is switched off
  std::vector<DataArrival> arrivals = {};
  // The virtual time of each training, in their order. If empty: a random time up to FederationOptions::training_max
  // without a training pool, and none with one.
  std::function<Duration()> training_takes = {};
  bool decline_without_new = false;  // trains only on new data
  std::shared_ptr<learning::DataSupply> data = {};  // asked again after a counted update; may be null
  std::optional<client::SecureSums> secure_sums = {};
  // Which secure sums it helped to open, over restarts; null: a restarted client has forgotten them.
  std::shared_ptr<client::OpenedSumsStore> opened_sums = {};
  std::uint64_t hold_out_key = 0;  // learning/hold_out.h
  // Opens what the device keeps on its disk; called at each start of the client. If empty, nothing is kept.
  std::function<Result<std::shared_ptr<client::DeviceLedger>>()> open_ledger = {};
};

struct FederationOptions {
  server::EngineConfig aggregator;  // the simulation sets before_effect and wall_clock
  std::vector<ClientSetup> clients;
  std::string federation;
  std::uint64_t seed = 0;  // for latencies, faults and crashes
  NetworkFaults network;
  CrashFaults crashes;
  Duration training_max{};  // maximum virtual time of one training
  Duration faults_end = std::chrono::hours(24);  // there are no faults after this time
  Duration time_max = std::chrono::hours(24);  // virtual; a run that takes longer is aborted
  std::filesystem::path archive;  // clients that have stored the archive read it here
  bool clients_have_archive = false;
  unsigned threads = 0;  // size of the training pool; 0: trainings run immediately, one after the other
  std::optional<std::uint64_t> arrival_seed;  // shuffles the order in which finished trainings are reported
  // What a client writes into its own log; null: nobody reads it.
  std::function<void(const std::string& client, client::Log::Level level, const std::string& text)>
      client_log = {};
  std::function<void(std::span<const std::byte>)>
      aggregator_hears;  // is called with every frame that reaches the aggregator
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
  // `store_factory` opens the aggregator's store on its disk. It is called at every start of the aggregator.
  using StoreFactory = std::function<Result<std::unique_ptr<server::Store>>()>;
  Federation(FederationOptions options, StoreFactory store_factory, server::EngineObserver& observer,
             std::filesystem::path spool_folder);
  ~Federation();

  // Runs until the aggregator has finished. When `stop` becomes true (in a signal handler), the aggregator is stopped
  // cleanly.
  [[nodiscard]] Result<FederationOutcome> run(const std::atomic<bool>& stop);
  // The same from an observer, during run().
  void stop_soon() { stop_asked_ = true; }
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
  // Schedules its start, its arriving data and its leave.
  void schedule(ClientHost& host);
  void start_client(ClientHost& host);
  void report_data(ClientHost& host, client::Engine& engine);
  void crash_client(ClientHost& host);
  void with_client(ClientHost& host, const std::function<void(client::Engine&)>& action);
  void schedule_client_tick(ClientHost& host);
  void maybe_crash(double probability);
  void crash();
  void start_training(ClientHost& host, const messages::TrainTask& task, learning::TrainingRequest request,
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
  bool stop_asked_ = false;
  std::uint32_t crashes_ = 0;
  std::uint64_t aggregator_effects_ = 0;
  std::uint64_t bytes_up_ = 0;
  std::uint64_t bytes_down_ = 0;
};

}  // namespace hansa::simulation
