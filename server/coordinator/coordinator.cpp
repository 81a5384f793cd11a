#include "server/coordinator/coordinator.h"

#include <algorithm>
#include <cassert>

#include "common/random.h"
#include "server/coordinator/internal/dispatch.h"
#include "server/coordinator/internal/gathering.h"

namespace hansa::server {
namespace {

std::unique_ptr<CohortPolicy> policy_of(const CoordinatorConfig& config) {
  auto policy = make_cohort_policy(config.settings.selection);
  assert(policy);  // the name was checked when the configuration was read
  return std::move(*policy);
}

// Removes the lines that clients cause beyond what is logged, and reports how many there were.
void bound_log(LogBudget& budget, Instant now, std::size_t from, std::vector<Effect>& effects) {
  const auto is_surplus = [&](const Effect& effect) {
    const auto* line = std::get_if<Log>(&effect);
    return line != nullptr && !line->about.empty() && !budget.allows(line->client, line->about, now);
  };
  const auto omitted = budget.take_omitted(now);
  effects.erase(
      std::remove_if(effects.begin() + static_cast<std::ptrdiff_t>(from), effects.end(), is_surplus),
      effects.end());
  for (const LogBudget::Omitted& lines : omitted)
    effects.emplace_back(
        Log{Log::Level::warning,
            (lines.subject.empty() ? "several clients" : lines.subject) + ": " + lines.text(),
            lines.subject,
            {},
            LogEvent::lines_omitted});
}

// The round that is made, also if no other one follows it, or is next.
std::optional<RoundId> round_of(const Shared& shared, Phase phase) {
  if (phase == Phase::gathering || phase == Phase::finished) return shared.current_round();
  return RoundId(shared.standing.last_committed.value + 1);
}

// Adds to the lines from `from` on when they were written.
void place_log(Phase phase, std::optional<RoundId> round, std::size_t from, std::vector<Effect>& effects) {
  for (std::size_t i = from; i < effects.size(); ++i) {
    auto* line = std::get_if<Log>(&effects[i]);
    if (line == nullptr || !line->phase.empty()) continue;
    line->phase = name(phase);
    line->round = round;
  }
}

}  // namespace

struct Coordinator::State {
  State(CoordinatorConfig config, RestoredState restored, Instant start)
      : shared{std::move(config),
               std::move(restored),
               {},
               {{shared.standing.run, shared.config.process.chunk_bytes, shared.config.process.lease,
                 shared.config.process.absence, shared.config.process.ping, shared.config.process.probe,
                 shared.config.settings.contract},
                shared.config.process.session_seed},
               Uploads({shared.config.settings.limits.uploads_max,
                        shared.config.settings.limits.spool_memory_mib << 20,
                        shared.config.process.chunk_bytes}),
               policy_of(shared.config),
               make_round_mode(shared.config.settings),
               make_exchange_factory(shared.config, shared.standing.sum_range),
               CulpritSearch(derive_seed(shared.config.process.session_seed, "search"))},
        now(start) {
    shared.started_at = shared.time_of_day(start);
    shared.resumed_at = shared.standing.last_committed;
    shared.reliability.restore(shared.config.process.faults, start);
    shared.clients.restore_counted(std::move(shared.standing.counted));
    std::vector<Effect> none;
    Turn turn(now, none, shared.sessions);
    stage = std::make_unique<Gathering>(shared, 1, now, turn);
  }

  Shared shared;
  std::unique_ptr<Stage> stage;
  Instant now;  // of the last event
};

std::string_view name(Phase phase) noexcept {
  switch (phase) {
    case Phase::gathering: return "gathering";
    case Phase::in_round: return "training";
    case Phase::unmasking: return "unmasking";
    case Phase::committing: return "committing";
    case Phase::finished: return "finished";
  }
  return "";
}

Coordinator::Coordinator(CoordinatorConfig config, RestoredState restored, Instant now)
    : state_(std::make_unique<State>(std::move(config), std::move(restored), now)) {}

Coordinator::~Coordinator() = default;

Verdict Coordinator::apply(const Event& event, Instant now, std::vector<Effect>& effects) {
  State& s = *state_;
  s.now = now;
  const std::size_t before = effects.size();
  Turn turn(now, effects, s.shared.sessions);
  // A line is about the phase in which it was written, also if that ends with it.
  Phase phase = s.stage->phase();
  auto round = round_of(s.shared, phase);
  const Verdict verdict = Dispatch{s.shared, *s.stage, turn}.apply(event);
  place_log(phase, round, before, effects);
  while (auto next = s.stage->next(turn)) {
    place_log(phase, round, before, effects);
    s.stage = std::move(next);
    phase = s.stage->phase();
    round = round_of(s.shared, phase);
  }
  bound_log(s.shared.log_budget, now, before, effects);
  place_log(phase, round, before, effects);
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

bool Coordinator::is_awaiting_clients(Instant now) const { return state_->stage->is_awaiting_clients(now); }

std::vector<FaultRecord> Coordinator::faults(Instant now) const {
  return state_->shared.reliability.records(now);
}

Progress Coordinator::progress(Instant now) const {
  const State& s = *state_;
  Progress out;
  out.now = now;
  out.phase = s.stage->phase();
  out.round = s.shared.standing.last_committed;
  out.rounds = s.shared.config.settings.rounds;
  out.all_rounds_done = s.shared.all_rounds_done();
  if (out.all_rounds_done) out.why_done = s.shared.why_done();
  out.connected = static_cast<std::uint32_t>(s.shared.sessions.open());
  s.shared.sessions.for_each([&](const std::string& client, const Session& session) {
    if (!session.connected) return;
    const Client* facts = s.shared.clients.find(client);
    out.connected_clients.push_back({client, {}});
    if (facts != nullptr && !facts->counted_since_report)
      out.connected_clients.back().new_examples = facts->new_examples;
  });
  out.waited = now - s.stage->began();
  for (const auto& [client, facts] : s.shared.clients.all())
    if (const SetAside::Held* held = s.shared.set_aside.find(client, now))
      out.left_out.push_back(client + " (" + held->reason + ")");
    else if (const Duration left = s.shared.reliability.rest_left(client, now); left > Duration::zero())
      out.left_out.push_back(client + " (" + std::to_string(left / std::chrono::seconds(1)) + " s)");
  s.stage->fill(out);
  if (out.attempt > 1) out.retry = s.shared.retry_reason;
  return out;
}

}  // namespace hansa::server
