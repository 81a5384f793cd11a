#include "server/coordinator/internal/committing.h"

#include "server/coordinator/internal/blame.h"
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
  shared_.standing.last_committed = event.round;
  shared_.standing.last_started = shared_.round_started;
  shared_.standing.model = event.model;
  shared_.standing.published = event.published;
  shared_.opened_sums = 0;
  shared_.exchanges->on_committed(event);
  shared_.clients.on_round(record_);
  shared_.drop_rate.on_attempt(static_cast<std::uint32_t>(round_->participants().size()),
                               static_cast<std::uint32_t>(round_->counted_names().size()));
  if (exchange_->receipt() == messages::Verdict::summed) send_receipts(turn);
  shared_.attempts_in_vain = 0;
  (void)blame_culprit(shared_, shared_.search.on_committed(round_->counted_names()),
                      turn.now - round_->began(), turn);
  for (const Participation& p : record_.participations)
    if (p.outcome == Outcome::counted) on_counted(p.client, turn);
  return Verdict::accepted;
}

void Committing::on_counted(const std::string& client, Turn& turn) {
  shared_.reliability.on_counted(client);
  const Client* known = shared_.clients.find(client);
  if (shared_.set_aside.on_counted(client, known == nullptr ? 0 : known->new_examples, turn.now))
    turn.inform_about(client, "takes part again", LogEvent::client_returned,
                      client + " takes part in rounds again");
}

void Committing::send_receipts(Turn& turn) {
  for (const Participant& p : round_->participants()) {
    if (round_->state(p) != round::MemberState::counted) continue;
    shared_.clients.on_receipt(p.client);
    turn.send(p.client, messages::Receipt{p.task, messages::Verdict::counted, {}});
    if (shared_.sessions.find(p.client) == nullptr) shared_.clients.on_missed_receipt(p.client, p.task);
  }
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
    return abandon_round(shared_, *round_, *exchange_, *refused_, remedy, turn);
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
