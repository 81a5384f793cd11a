#include "server/coordinator/coordinator.h"

#include <algorithm>
#include <cassert>

#include "server/coordinator/internal/dispatch.h"
#include "server/coordinator/internal/gathering.h"

namespace hansa::server {
namespace {

std::unique_ptr<CohortPolicy> policy_of(const CoordinatorConfig& config) {
  auto policy = make_cohort_policy(config.settings.selection);
  assert(policy);  // the name was checked when the configuration was read
  return std::move(*policy);
}

}  // namespace

struct Coordinator::State {
  State(CoordinatorConfig config, RestoredState restored, Instant start)
      : shared{std::move(config),
               std::move(restored),
               {},
               {{shared.standing.run, shared.config.process.chunk_bytes, shared.config.process.lease,
                 shared.config.process.absence, shared.config.process.ping, shared.config.process.probe},
                shared.config.process.session_seed},
               Uploads({shared.config.settings.limits.uploads_max,
                        shared.config.settings.limits.spool_memory_mib << 20,
                        shared.config.process.chunk_bytes}),
               policy_of(shared.config),
               make_exchange_factory(shared.config, shared.standing.sum_range)},
        now(start) {
    std::vector<Effect> none;
    Turn turn(now, none, shared.sessions);
    stage = std::make_unique<Gathering>(shared, 1, now, turn);
  }

  Shared shared;
  std::unique_ptr<Stage> stage;
  Instant now;  // of the last event
};

Coordinator::Coordinator(CoordinatorConfig config, RestoredState restored, Instant now)
    : state_(std::make_unique<State>(std::move(config), std::move(restored), now)) {}

Coordinator::~Coordinator() = default;

Verdict Coordinator::apply(const Event& event, Instant now, std::vector<Effect>& effects) {
  State& s = *state_;
  s.now = now;
  Turn turn(now, effects, s.shared.sessions);
  const Verdict verdict = Dispatch{s.shared, *s.stage, turn}.apply(event);
  while (auto next = s.stage->next(turn)) s.stage = std::move(next);
  return verdict;
}

Instant Coordinator::next_tick() const {
  const State& s = *state_;
  const Instant next =
      std::min({s.now + std::chrono::seconds(1), s.shared.sessions.next_tick(), s.stage->next_tick(s.now)});
  return std::max(next, s.now + std::chrono::milliseconds(1));
}

Phase Coordinator::phase() const { return state_->stage->phase(); }
RoundId Coordinator::last_committed() const { return state_->shared.standing.last_committed; }
const Digest& Coordinator::model() const { return state_->shared.standing.model; }
const PublishedModel& Coordinator::published() const { return state_->shared.standing.published; }

Progress Coordinator::progress(Instant now) const {
  const State& s = *state_;
  Progress out;
  out.phase = s.stage->phase();
  out.round = s.shared.standing.last_committed;
  out.rounds = s.shared.config.settings.rounds;
  out.connected = static_cast<std::uint32_t>(s.shared.sessions.open());
  out.waited = now - s.stage->began();
  s.stage->fill(out);
  return out;
}

}  // namespace hansa::server
