#include "server/coordinator/internal/unmasking.h"

#include "server/coordinator/internal/round_method.h"
#include "server/coordinator/internal/training.h"

namespace hansa::server {

Reply Unmasking::on_decline(const std::string& client, const messages::Decline& decline, Turn& turn) {
  const Participant* p = round_->find(client);
  if (p == nullptr || decline.task != p->task) return Verdict::discarded;
  return exchange_->on_refused_opening(*p, decline.report, turn);
}

Reply Unmasking::on_signature(const std::string& client, const messages::SurvivorSignature& signature,
                              Turn& turn) {
  const Participant* p = round_->find(client);
  return p == nullptr ? Verdict::discarded : exchange_->on_signature(*p, signature, turn);
}

Reply Unmasking::on_unmask_shares(const std::string& client, const messages::UnmaskShares& shares,
                                  Turn& turn) {
  const Participant* p = round_->find(client);
  return p == nullptr ? Verdict::discarded : exchange_->on_unmask_shares(*p, shares, turn);
}

void Unmasking::on_session_opened(const SessionOpened& opened, Turn& turn) {
  if (const Participant* p = round_->find(opened.client))
    exchange_->on_reconnected(*p, opened.process, *round_, turn);
}

std::unique_ptr<Stage> Unmasking::next(Turn& turn) {
  if (stop_asked_) return stopped(turn);
  Opening opening = exchange_->opening(*round_, shared_.sessions, turn);
  switch (opening.state) {
    case Opening::State::waiting: return nullptr;
    case Opening::State::failed: {
      ++shared_.opened_sums;  // as far as the clients know
      Remedy remedy = conclude(opening, turn);
      if (opening.faults.empty() && round_->contradictions().all().empty() && !opening.is_explained)
        remedy = search_among(shared_, round_->names(), turn.now - round_->began(), turn);
      return after_.abandoned(
          shared_, *round_,
          {AbandonCause::opening, end_attempt(shared_, *round_, *exchange_, opening.reason, turn), remedy},
          turn);
    }
    case Opening::State::ready: (void)conclude(opening, turn); break;
  }
  record_.seconds = seconds(turn.now - round_->began());
  exchange_->complete(record_, turn.now - began_);
  const double scale = output_scale_of(round_->work().method);
  return after_.opened(
      shared_, std::move(round_), std::move(exchange_),
      CommitRound{std::move(record_), std::move(opening.sum), shared_.config.settings.admitted.size(), scale},
      turn);
}

Remedy Unmasking::conclude(Opening& opening, Turn& turn) {
  for (const Contradiction& pair : opening.contradictions) round_->contradictions().add(pair);
  for (Participation& p : record_.participations)
    if (const std::size_t count = round_->contradictions().count(p.client); count > 0 && p.reason.empty())
      p.reason = "it contradicts " + std::to_string(count) + " clients about shares of secrets";
  const Remedy apart = settle_contradictions(shared_, *round_, exchange_->contradictors_max(), turn);
  const Remedy blamed = blame(shared_, opening.faults, turn.now - began_ + retry_after_max, turn);
  return apart == Remedy::another_cohort ? apart : blamed;
}

void Unmasking::fill(Progress& progress) const {
  progress.round = round_->id();
  progress.attempt = round_->attempt();
  progress.members = round_->round().members();
  progress.exchange = exchange_->progress(*round_);
}

}  // namespace hansa::server
