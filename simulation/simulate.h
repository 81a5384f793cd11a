// `hansa simulate`: runs a federation.toml in one process, with the clients' real data and trainers.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/error.h"
#include "common/training.h"
#include "learning/trainer.h"
#include "server/config/federation_config.h"
#include "server/divergence/best_round.h"
#include "server/store/store.h"

namespace hansa::simulation {

struct SimulateOptions {
  unsigned threads = 0;  // concurrent trainings; 0: one for each core
  std::optional<std::uint64_t> arrival_seed;  // shuffles the order in which finished updates are reported
  // Replaces the trainer of a client, for experiments with clients that lie. Empty: none is replaced.
  std::function<std::shared_ptr<learning::Trainer>(const std::string& client,
                                                   std::shared_ptr<learning::Trainer> trainer)>
      wrap_trainer = {};
};

struct SimulateOutcome {
  std::string run_folder;
  RoundId last_committed;
  Digest model;
  Metrics training;  // of the last committed round: what its clients measured
  Metrics evaluation;  // of the last committed round; empty without [evaluation]
  std::optional<server::BestRound> best;
  std::string enough;  // why [schedule.until] ended the run before its last round; empty: it did not
  double seconds = 0;
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
};

// Called after each round, with its evaluation if the configuration has one.
using RoundDone = std::function<void(const server::RoundRecord&, const Metrics&)>;

// The caller has set config.rounds and config.seed. Always starts a new run, in the folder `simulated` of config.runs,
// where no aggregator continues it. Rounds do not wait for [schedule].
[[nodiscard]] Result<SimulateOutcome> run_simulation(const server::FederationConfig& config,
                                                     const SimulateOptions& options,
                                                     const RoundDone& round_done,
                                                     const std::atomic<bool>& stop);

}  // namespace hansa::simulation
