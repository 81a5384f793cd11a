// The rounds of a run in the aggregator's process: from the first message to the last line on the screen.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "common/error.h"
#include "server/divergence/run_watch.h"
#include "server/engine/engine.h"
#include "server/engine/thread_executor.h"
#include "server/evaluation/model_process.h"
#include "server/output/output_writer.h"
#include "server/process/internal/audit_witness.h"
#include "server/process/internal/channel_outbox.h"
#include "server/process/internal/device_book.h"
#include "server/process/internal/engine_loop.h"
#include "server/process/internal/fault_keeper.h"
#include "server/process/internal/host.h"
#include "server/process/internal/key_switch.h"
#include "server/process/internal/process_observer.h"
#include "server/process/internal/round_evaluations.h"
#include "server/setup/run_setup.h"

namespace hansa::server::internal {

enum class PhaseEnd : std::uint8_t {
  over,
  next_key,  // the aggregator begins to use its next key
};

// All references outlive it. One thread.
class RoundsPhase {
 public:
  struct Parts {
    const FederationConfig& config;
    PreparedRun& run;  // begun
    RunWatch& watch;
    Host& host;
    const AggregatorKey& aggregator_key;
    OutputWriter* output;  // null: no files are written for other tools
  };
  // engine: everything of the rounds. evaluator: null if nothing is evaluated. Asks for the evaluations that a crash
  // prevented. Fails as an engine and a store do.
  [[nodiscard]] static Result<std::unique_ptr<RoundsPhase>> create(
      const Parts& parts, EngineConfig engine, std::unique_ptr<BackgroundEvaluator> evaluator);

  // Runs until the engine has ended, sends what is left to send, and records the end. Returns the error with which the
  // program exits, if there is one. started: when the program did. With next_key nothing is recorded, and the run continues.
  [[nodiscard]] Result<PhaseEnd> run(const std::atomic<bool>& stop, Instant started);

 private:
  RoundsPhase(const Parts& parts, const DeviceBook::Files& files,
              std::unique_ptr<BackgroundEvaluator> evaluator);
  // The faults that an earlier process left.
  [[nodiscard]] std::vector<FaultRecord> kept_faults();
  Result<void> catch_up();
  void serve(const std::atomic<bool>& stop);
  void update(Instant now);
  void drain(const std::atomic<bool>& stop);
  void record_end_of_rounds(const Progress& progress);
  void evaluate_last();
  void show(Instant now);
  Result<void> begin_monitor(std::uint64_t model_values);
  void monitor(Instant now);
  void take_commands();
  // Whether the operator asked for a stop, and the round of that time is over.
  [[nodiscard]] bool is_round_of_stop_over() const;
  // Tells it what the run has, and warns if it cannot write.
  void update_output();
  void finish_output();
  void print_report(Instant started) const;
  void log_end(const std::string& why) const;
  Result<void> outcome() const;

  Parts parts_;
  WorkerPool workers_;
  SpoolPool spools_;
  ChannelOutbox outbox_;
  ThreadExecutor executor_;
  RoundEvaluations evaluations_;
  DeviceBook book_;
  FaultKeeper faults_;
  AuditWitness witness_;
  ProcessObserver observer_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<EngineLoop> loop_;
  KeySwitch key_switch_;
  bool switches_key_ = false;
  std::optional<RoundId>
      stop_asked_after_;  // set: the operator asked for a stop when this round was the last
  bool is_concluded_ = false;  // [until] is reached
  bool end_is_recorded_ = false;
};

}  // namespace hansa::server::internal
