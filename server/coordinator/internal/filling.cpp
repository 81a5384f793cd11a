#include "server/coordinator/internal/filling.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/random.h"
#include "server/coordinator/internal/blame.h"
#include "server/coordinator/internal/candidates.h"
#include "server/coordinator/internal/common_task.h"
#include "server/coordinator/internal/concluded.h"
#include "server/coordinator/internal/plain_checks.h"
#include "server/coordinator/internal/staleness_weight.h"
#include "server/coordinator/internal/storing.h"

namespace hansa::server {
namespace {

constexpr std::size_t norms_max = 32;  // of the last counted updates, to which the next one is compared

}  // namespace

Filling::Filling(Shared& shared, std::unique_ptr<BufferedState> state, Turn& turn)
    : BufferedStage(shared, std::move(state), turn.now) {
  const RoundId round = state_->buffer.round();
  shared_.round_started = shared_.time_of_day(turn.now);
  turn.effects.emplace_back(
      RoundStarted{round, static_cast<std::uint32_t>(shared_.eligible(turn.now).size())});
  turn.effects.emplace_back(
      BeginUpdates{PlainSetup{buffer_bounds(shared_.config.settings), codec_seed(shared_.config, round)}});
  end_stale_tasks(turn);
}

void Filling::end_stale_tasks(Turn& turn) {
  const std::uint32_t most = shared_.config.settings.cohort.buffered.staleness_max;
  for (auto& [client, trainee] : trainees().all()) {
    if (!trainee.is_expected()) continue;
    const std::uint32_t staleness = state_->buffer.round().value - trainee.work.round.value;
    if (staleness <= most) continue;
    const std::string reason = "it works on a model that is " + std::to_string(staleness) +
                               " models old, and cohort.buffered.staleness_max is " + std::to_string(most);
    if (trainee.told.insert("stale").second)
      turn.warn_about(client, "stale", LogEvent::client_dropped,
                      client + " gets a new task: " + reason + "; this is reported once for each client");
    cancel(client, trainee, Outcome::late, reason, turn);
  }
}

void Filling::take_waiting(Turn& turn) {
  const OperatorSettings& settings = shared_.config.settings;
  while (!state_->complete.empty() &&
         state_->buffer.counted() + checking_ < settings.cohort.buffered.updates) {
    const std::string client = std::move(state_->complete.front());
    state_->complete.pop_front();
    Trainee& t = *trainees().find(client);
    (void)trainees().check(t);
    ++checking_;
    const std::uint64_t full = full_weight(settings, t.offer.examples);
    const std::vector<double> norms(state_->norms.begin(), state_->norms.end());
    turn.effects.emplace_back(
        CountUpdate{client, CountTerms{stale_weight(full, t.staleness), full,
                                       norm_limit(norms, settings.limits.norm_ratio_max)}});
  }
}

Verdict Filling::on_checked(const UpdateChecked& event, Turn& turn) {
  Trainee* t = trainees().find(event.client);
  if (t == nullptr || t->state != TraineeState::checking) return Verdict::discarded;
  --checking_;
  shared_.uploads.on_checked(event.client);
  look_for_clients_ = true;
  const TaskId task = t->task;
  if (!event.outcome) {
    const std::string reason = event.outcome.error().text();
    (void)trainees().checked(*t);
    // If the updates of all clients have grown, they must be taken in the end.
    if (!state_->norms.empty()) state_->norms.pop_front();
    return reject(event.client, *t, reason, turn);
  }
  const OperatorSettings& settings = shared_.config.settings;
  state_->buffer.count(shared_.config, event.client, *t,
                       stale_weight(full_weight(settings, t->offer.examples), t->staleness));
  state_->norms.push_back(event.norms.empty() ? 0 : event.norms.front());
  if (state_->norms.size() > norms_max) state_->norms.pop_front();
  t->counted = task;
  t->failures = 0;
  (void)trainees().checked(*t);
  shared_.attempts_in_vain = 0;
  shared_.clients.on_counted(event.client, task);
  turn.send(event.client, messages::Receipt{task, messages::Verdict::counted, {}});
  turn.log({Log::Level::debug,
            "counted the update of " + event.client,
            event.client,
            {},
            LogEvent::update_counted});
  // Its new examples are used up: it may have nothing to train on before its next report.
  const Client* known = shared_.clients.find(event.client);
  if (shared_.set_aside.on_counted(event.client, known == nullptr ? 0 : known->new_examples, turn.now))
    turn.inform_about(event.client, "takes part again", LogEvent::client_returned,
                      event.client + " takes part in rounds again");
  return Verdict::accepted;
}

std::unique_ptr<Stage> Filling::next(Turn& turn) {
  if (stop_asked_) return stopped(turn);
  take_waiting(turn);
  if (state_->buffer.counted() >= shared_.config.settings.cohort.buffered.updates && checking_ == 0)
    return std::make_unique<Storing>(shared_, std::move(state_), turn.now - began_, turn);
  if (std::exchange(look_for_clients_, false))
    if (auto end = give_tasks(turn)) return end;
  shared_.uploads.grant_waiting(turn);
  return nullptr;
}

std::vector<std::string> Filling::free_clients(const std::vector<std::string>& eligible, Instant now) const {
  const auto rests = [&](const std::string& client) { return shared_.reliability.rests(client, now); };
  // Those that are left out for their faults are asked only if too few would remain.
  const auto others = static_cast<std::size_t>(
      std::ranges::count_if(eligible, [&](const std::string& client) { return !rests(client); }));
  const bool without_resting = others >= shared_.config.settings.cohort.clients_min;
  const std::uint32_t most =
      updates_max_of_client(shared_.config.settings.cohort.buffered.updates, eligible.size());
  std::vector<std::string> out;
  std::ranges::copy_if(eligible, std::back_inserter(out), [&](const std::string& client) {
    const Trainee* t = state_->trainees.find(client);
    const bool is_free = t == nullptr || (t->is_free() && t->ask_after <= now);
    return is_free && state_->buffer.counted_of(client) < most && !(without_resting && rests(client));
  });
  return out;
}

std::unique_ptr<Stage> Filling::give_tasks(Turn& turn) {
  const OperatorSettings& settings = shared_.config.settings;
  const auto eligible = shared_.eligible(turn.now);
  if (eligible.size() < settings.cohort.clients_min) {
    if (shared_.is_over())
      return std::make_unique<Concluded>(shared_, Finish{Finish::Why::all_rounds, shared_.why_done()}, turn);
    if (!short_since_) short_since_ = turn.now;
    return wait_.check(shared_, eligible.size(), *short_since_, turn);
  }
  short_since_.reset();
  if (auto end = give_up_in_vain(eligible.size(), turn)) return end;
  for (const std::string& client : shared_.reliability.take_returned(turn.now))
    turn.inform_about(client, "returned", LogEvent::client_returned,
                      client + " may take part in cohorts again");
  auto free = free_clients(eligible, turn.now);
  if (const std::uint32_t most = settings.cohort.buffered.concurrency; most > 0) {
    const std::uint32_t busy = state_->trainees.count(TraineeState::training);
    const std::size_t room = most - std::min(busy, most);
    if (free.size() > room) {
      const std::uint64_t seed = derive_seed(settings.seed, "cohort", state_->buffer.round().value,
                                             std::to_string(state_->selections++));
      free =
          room == 0 ? std::vector<std::string>{} : choose(shared_, free, room, state_->buffer.round(), seed);
    }
  }
  for (const std::string& client : free) {
    Trainee& t = trainees().assign(
        settings, shared_.standing.run, client,
        {state_->buffer.round(), state_->served.newest(), shared_.clients.find(client)->examples, turn.now,
         turn.now + settings.cohort.deadline});
    send_task(client, t, turn);
  }
  return nullptr;
}

// A simulation must end if, for example, every update of every client is refused.
std::unique_ptr<Stage> Filling::give_up_in_vain(std::size_t clients, Turn& turn) const {
  const std::uint32_t most = shared_.config.settings.cohort.attempts_max;
  if (most == 0 || shared_.attempts_in_vain < most * clients) return nullptr;
  return std::make_unique<Concluded>(
      shared_,
      Finish{Finish::Why::gave_up,
             "round " + std::to_string(state_->buffer.round().value) + ": " +
                 std::to_string(shared_.attempts_in_vain) + " tasks in a row came to nothing",
             "correct what the clients report, or see cohort.deadline_s"},
      turn);
}

}  // namespace hansa::server
