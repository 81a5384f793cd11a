#include "server/coordinator/internal/storing.h"

#include <algorithm>
#include <utility>

#include "common/time.h"
#include "server/coordinator/internal/committed_round.h"
#include "server/coordinator/internal/filling.h"
#include "server/coordinator/internal/gathering.h"

namespace hansa::server {

Storing::Storing(Shared& shared, std::unique_ptr<BufferedState> state, Duration took, Turn& turn)
    : BufferedStage(shared, std::move(state), turn.now),
      record_(state_->buffer.record(shared_.standing.model)) {
  record_.seconds = seconds(took);
  state_->buffer = Buffer(RoundId(record_.round.value + 1));
  retire_models(turn);
  CommitRound commit{.record = record_, .clients = shared.config.settings.admitted.size()};
  commit.fetched = state_->served.names();
  turn.effects.emplace_back(std::move(commit));
}

void Storing::retire_models(Turn& turn) {
  const CohortConfig& cohort = shared_.config.settings.cohort;
  const auto is_fetched = [&](const std::shared_ptr<const PublishedModel>& model) {
    return std::ranges::any_of(trainees().all(), [&](const auto& entry) {
      const Trainee& t = entry.second;
      const std::uint32_t staleness = state_->buffer.round().value - t.work.round.value;
      return t.model == model && staleness <= cohort.buffered.staleness_max &&
             is_fetching(t, shared_.config.process.stall, turn.now);
    });
  };
  state_->served.retire(is_fetched);
  for (auto& [client, trainee] : trainees().all())
    if (trainee.model && !state_->served.has(trainee.model) &&
        is_fetching(trainee, shared_.config.process.stall, turn.now))
      cancel(client, trainee, Outcome::late, "the model of its task is not served any more", turn);
}

Verdict Storing::on_committed(const RoundCommitted& event, Turn&) {
  if (is_committed_ || refused_ || event.round != record_.round) return Verdict::discarded;
  is_committed_ = true;
  adopt(shared_, event);
  shared_.clients.on_round(record_);
  state_->served.add(event.published);
  for (const Participation& p : record_.participations)
    if (p.outcome == Outcome::counted) shared_.reliability.on_counted(p.client);
  return Verdict::accepted;
}

Verdict Storing::on_sum_refused(const SumRefused& event, Turn& turn) {
  if (is_committed_ || refused_ || event.round != record_.round) return Verdict::discarded;
  refused_ = event.reason;
  turn.warn("round " + std::to_string(record_.round.value) + " is made again: " + event.reason,
            LogEvent::round_abandoned);
  turn.effects.emplace_back(
      AttemptAbandoned{record_.round, record_.attempt, AbandonCause::refused_sum, event.reason});
  state_->buffer = Buffer(record_.round);
  state_->served.add(shared_.standing.published);
  return Verdict::accepted;
}

std::unique_ptr<Stage> Storing::next(Turn& turn) {
  if (!is_committed_ && !refused_) return nullptr;
  if (stop_asked_ && !shared_.is_over()) return stopped(turn);
  if (!shared_.all_rounds_done()) return std::make_unique<Filling>(shared_, std::move(state_), turn);
  cancel_all("all rounds are done", turn);
  return std::make_unique<Gathering>(shared_, 1, turn.now, turn);
}

void Storing::fill(Progress& progress) const {
  BufferedStage::fill(progress);
  progress.round = record_.round;
  progress.exchange = "a model is made of " + std::to_string(record_.arrivals.size()) + " updates";
}

}  // namespace hansa::server
