#include "server/coordinator/internal/gathering.h"

#include <algorithm>
#include <iterator>

#include "common/random.h"
#include "server/coordinator/internal/concluded.h"
#include "server/coordinator/internal/waiting.h"
#include "server/coordinator/task_id.h"

namespace hansa::server {

// Attempts that fail again and again without a remedy are made ever more seldom.
Duration retry_pause(std::uint32_t attempt, std::uint32_t in_vain) {
  Duration pause = std::min<Duration>(std::chrono::seconds(attempt), retry_after_max);
  for (std::uint32_t i = 5; i < in_vain && pause < retry_in_vain_max; ++i) pause *= 2;
  return std::min<Duration>(pause, retry_in_vain_max);
}

std::vector<std::string> Gathering::ready(Instant now) const {
  std::vector<std::string> all = shared_.eligible(now);
  std::vector<std::string> out;
  std::ranges::copy_if(all, std::back_inserter(out),
                       [&](const std::string& client) { return !shared_.reliability.rests(client, now); });
  const std::size_t least = shared_.config.settings.cohort.clients_min;
  if (out.size() < least) return all;
  return shared_.contradictions.keep_apart(
      std::move(out), least,
      derive_seed(shared_.config.process.session_seed, "apart", shared_.standing.last_committed.value,
                  std::to_string(attempt_)));
}

std::unique_ptr<Stage> Gathering::next(Turn& turn) {
  if (stop_asked_) return stopped(turn);
  const OperatorSettings& settings = shared_.config.settings;
  const CohortConfig& cohort = settings.cohort;
  if (shared_.is_over())
    return std::make_unique<Concluded>(shared_, Finish{Finish::Why::all_rounds, shared_.why_done()}, turn);
  if (shared_.all_rounds_done()) return nullptr;
  if (turn.now < not_before_) return nullptr;
  const auto ready = this->ready(turn.now);
  const bool enough = ready.size() >= cohort.clients_min;
  const std::uint32_t expected = std::max(cohort.clients_expected, cohort.clients_min);
  // Those that an earlier process left out have come too.
  if (!shared_.has_gathered &&
      (shared_.eligible(turn.now).size() >= expected || (enough && turn.now >= began_ + cohort.gather)))
    shared_.has_gathered = true;
  if (!enough) return wait_.check(shared_, ready.size(), began_, turn);
  const ScheduleDecision& schedule = scheduled(turn.now);
  if (!shared_.has_gathered) return nullptr;
  if (schedule.may_start()) return start_round(ready, turn);
  if (shared_.wait_report.take_due("the schedule", turn.now - began_, turn.now))
    turn.inform("the next round waits " + schedule.waits, LogEvent::round_waiting);
  return nullptr;
}

const ScheduleDecision& Gathering::scheduled(Instant now) {
  const ScheduleConfig& schedule = shared_.config.settings.schedule;
  // A round that began is repeated at once.
  if (attempt_ > 1 || !schedule.is_set() || now < ask_schedule_) return scheduled_;
  ask_schedule_ = now + std::chrono::seconds(1);
  const UtcSeconds day = shared_.time_of_day(now);
  // A clock that was wrong and is set back must not make rounds wait until the wrong time comes.
  if (auto& last = shared_.standing.last_started; last && *last > day) last = day;
  shared_.started_at = std::min(shared_.started_at, day);
  ScheduleFacts facts{day, shared_.started_at, shared_.standing.last_started};
  for (const auto& [name, client] : shared_.clients.all()) {
    if (client.counted_since_report || client.new_examples == 0 || !shared_.sessions.connected(name))
      continue;
    facts.new_examples += client.new_examples;
    ++facts.clients_with_new;
  }
  scheduled_ = decide(schedule, facts);
  return scheduled_;
}

Reply Gathering::on_decline(const std::string& client, const messages::Decline& decline, Turn& turn) {
  // It answers the task of the last attempt, which failed before.
  if (attempt_ == 1 || shared_.set_aside.find(client, turn.now) != nullptr) return Verdict::discarded;
  const Work work{RoundId(shared_.standing.last_committed.value + 1), shared_.opened_sums};
  if (decline.task != make_task_id(shared_.config.settings.seed, shared_.standing.run, work, client))
    return Verdict::discarded;
  (void)set_aside(shared_, client, decline.report, Duration::zero(), turn);
  return Verdict::accepted;
}

std::unique_ptr<Stage> Gathering::start_round(const std::vector<std::string>& ready, Turn& turn) {
  if (attempt_ == 1) shared_.round_started = shared_.time_of_day(turn.now);
  for (const std::string& client : shared_.reliability.take_returned(turn.now))
    turn.inform_about(client, "returned", LogEvent::client_returned,
                      client + " may take part in cohorts again");
  return shared_.mode->start(shared_, ready, attempt_, turn);
}

Instant Gathering::next_tick(Instant now) const {
  const CohortConfig& cohort = shared_.config.settings.cohort;
  Instant next = Instant::max();
  // Moments that have passed were considered in the event at `now`.
  for (const Instant moment :
       {not_before_, began_ + cohort.gather, began_ + cohort.wait_max, shared_.set_aside.next_return(now)})
    if (moment > now) next = std::min(next, moment);
  return next;
}

void Gathering::fill(Progress& progress) const {
  progress.attempt = attempt_;
  const CohortConfig& cohort = shared_.config.settings.cohort;
  const std::size_t ready = this->ready(progress.now).size();
  Waiting waiting = describe_waiting(shared_, ready, progress.now);
  progress.missing = std::move(waiting.missing);
  if (shared_.all_rounds_done()) return;
  if (ready < cohort.clients_min) progress.waits = "for " + std::move(waiting.text);
  else progress.waits = scheduled_.waits;
  progress.ready = static_cast<std::uint32_t>(ready);
  progress.needed = cohort.clients_min;
  progress.expected =
      shared_.has_gathered ? cohort.clients_min : std::max(cohort.clients_expected, cohort.clients_min);
  if (progress.ready >= progress.needed && progress.waits.empty())
    progress.starts_at = shared_.has_gathered ? not_before_ : std::max(not_before_, began_ + cohort.gather);
}

std::unique_ptr<Stage> note_abandoned(Shared& shared, RoundId round, std::uint32_t attempt,
                                      const AttemptFailure& failure, Turn& turn) {
  const auto& [cause, reason, remedy] = failure;
  const std::string name = "round " + std::to_string(round.value);
  shared.retry_reason = remedy == Remedy::new_data ? std::string() : reason;
  if (remedy == Remedy::new_data) return nullptr;
  turn.warn(name + ", attempt " + std::to_string(attempt) + ", is abandoned: " + reason,
            LogEvent::round_abandoned);
  turn.effects.emplace_back(AttemptAbandoned{round, attempt, cause, reason});
  const std::uint32_t attempts_max = shared.config.settings.cohort.attempts_max;
  if (remedy == Remedy::none && ++shared.attempts_in_vain >= attempts_max && attempts_max > 0)
    return std::make_unique<Concluded>(
        shared,
        Finish{Finish::Why::gave_up,
               name + " came to nothing in " + std::to_string(attempt) + " attempts: " + reason,
               "correct what the clients report, or see cohort.quorum and cohort.deadline_s"},
        turn);
  return nullptr;
}

std::unique_ptr<Stage> try_again(Shared& shared, RoundId round, std::uint32_t attempt,
                                 const AttemptFailure& failure, Turn& turn) {
  if (auto end = note_abandoned(shared, round, attempt, failure, turn)) return end;
  const Instant not_before = failure.remedy == Remedy::new_data
                                 ? turn.now
                                 : turn.now + retry_pause(attempt, shared.attempts_in_vain);
  return std::make_unique<Gathering>(shared, attempt + 1, not_before, turn);
}

}  // namespace hansa::server
