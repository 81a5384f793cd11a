#include "server/coordinator/internal/committing.h"

#include "server/coordinator/internal/blame.h"
#include "server/coordinator/internal/committed_round.h"
#include "server/coordinator/internal/gathering.h"
#include "server/coordinator/internal/training.h"

namespace hansa::server {

Committing::Committing(Shared& shared, std::unique_ptr<ActiveRound> round, std::unique_ptr<Exchange> exchange,
                       CommitRound commit, Turn& turn)
    : Stage(shared, turn.now),
      round_(std::move(round)),
      exchange_(std::move(exchange)),
      record_(commit.record) {
  turn.effects.emplace_back(std::move(commit));
}

Verdict Committing::on_committed(const RoundCommitted& event, Turn& turn) {
  if (is_committed_ || refused_ || event.round != round_->id()) return Verdict::discarded;
  is_committed_ = true;
  round_->apply(round::CommitDone{}, turn.now);
  adopt(shared_, event);
  settle_committed(shared_, *round_, exchange_->receipt(), record_, turn);
  return Verdict::accepted;
}

Verdict Committing::on_sum_refused(const SumRefused& event, Turn&) {
  if (is_committed_ || refused_ || event.round != round_->id()) return Verdict::discarded;
  refused_ = event.reason;
  return Verdict::accepted;
}

std::unique_ptr<Stage> Committing::next(Turn& turn) {
  if (!is_committed_ && !refused_) return nullptr;
  // After the last round the run is finished, not stopped: clients are dismissed with Finished, and a start begins no
  // new run.
  if (stop_asked_ && !shared_.is_over()) {
    exchange_->end(*round_, turn);
    return stopped(turn);
  }
  if (refused_) {
    ++shared_.opened_sums;
    shared_.exchanges->on_sum_refused();
    const Remedy remedy = search_among(shared_, round_->counted_names(), turn.now - round_->began(), turn);
    AttemptFailure failure{AbandonCause::refused_sum,
                           end_attempt(shared_, *round_, *exchange_, *refused_, turn), remedy};
    return try_again(shared_, round_->id(), round_->attempt(), failure, turn);
  }
  exchange_->end(*round_, turn);
  return std::make_unique<Gathering>(shared_, 1, turn.now, turn);
}

void Committing::fill(Progress& progress) const {
  progress.round = round_->id();
  progress.attempt = round_->attempt();
  progress.members = round_->round().members();
  progress.exchange = exchange_->progress(*round_);
}

}  // namespace hansa::server
