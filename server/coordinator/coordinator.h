// The aggregator's core: sessions, cohorts, rounds and transfers as one pure state machine.
//
//   gathering -> in_round -> unmasking -> committing -> gathering ... -> finished
//
// With buffered aggregation: gathering -> in_round -> committing -> in_round ... -> finished. With secure aggregation, the
// groups of buffered aggregation are unmasked in these phases.
//
// Events in, effects out; no I/O, clock or thread, and randomness only from the seeds in its configuration. The ZeroMQ
// process (server/process) and the simulation drive the same object. It composes machines that each do one job, in
// internal/: Sessions, Uploads, the phases (stage.h), and the exchange of a round (exchange.h). Its state is rebuilt
// from the store's last committed round: clients are asked again for the work since then. One thread owns a
// coordinator.
#pragma once
#include <memory>
#include <vector>

#include "common/time.h"
#include "server/coordinator/config.h"
#include "server/coordinator/effects.h"
#include "server/coordinator/events.h"
#include "server/coordinator/progress.h"
#include "server/coordinator/task_id.h"
#include "server/coordinator/verdict.h"

namespace hansa::server {

class Coordinator {
 public:
  using Verdict = server::Verdict;

  // config.settings.selection must be one of cohort_policy_names.
  Coordinator(CoordinatorConfig config, RestoredState restored, Instant now);
  ~Coordinator();
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  // `now` must not be earlier than in the previous call.
  Verdict apply(const Event& event, Instant now, std::vector<Effect>& effects);

  // The latest time for the next TickEvent.
  [[nodiscard]] Instant next_tick() const;
  [[nodiscard]] Phase phase() const;
  [[nodiscard]] RoundId last_committed() const;
  [[nodiscard]] const Digest& model() const;
  [[nodiscard]] const PublishedModel& published() const;
  // After Finish: clients still fetch the last model, so that the aggregator should answer for a little longer.
  [[nodiscard]] bool is_awaiting_clients(Instant now) const;
  [[nodiscard]] Progress progress(Instant now) const;
  // Of all clients with faults, sorted by name: CoordinatorConfig's process.faults of the next process.
  [[nodiscard]] std::vector<FaultRecord> faults(Instant now) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hansa::server
