#include "server/coordinator/internal/training.h"

#include <algorithm>

#include "server/coordinator/internal/common_task.h"
#include "server/coordinator/internal/downloads.h"
#include "server/coordinator/internal/name_list.h"
#include "server/coordinator/internal/round_record.h"
#include "server/coordinator/internal/unmasking.h"

namespace hansa::server {

using round::MemberState;

namespace {

// The client declined because of another client of its cohort: blame.h says whose fault that is.
bool is_about_another(ReasonCode code) {
  return code == ReasonCode::shares_invalid || code == ReasonCode::certificate_invalid ||
         code == ReasonCode::certificate_outdated;
}

}  // namespace

Training::Training(Shared& shared, std::unique_ptr<ActiveRound> round, std::unique_ptr<Exchange> exchange,
                   AfterSum& after, Turn& turn)
    : Stage(shared, turn.now), round_(std::move(round)), exchange_(std::move(exchange)), after_(after) {
  exchange_->begin(turn);
  for (Participant& p : round_->participants()) send_task(p, turn);
}

messages::TrainTask Training::make_task(const Participant& participant, Instant now) const {
  const CohortWork& work = round_->work();
  messages::TrainTask task =
      make_common_task(shared_.config, *work.model, round_->id(), work.method, work.measure);
  task.task = participant.task;
  task.seed = participant.seed;
  const Duration left = std::max(round_->round().deadline() - now, Duration::zero());
  task.deadline_ms = static_cast<std::uint32_t>(left / std::chrono::milliseconds(1));
  exchange_->describe(task);
  return task;
}

void Training::send_task(Participant& participant, Turn& turn) {
  participant.task_sent_at = turn.now;
  turn.send(participant.client, make_task(participant, turn.now));
  exchange_->repeat(participant, turn);
}

// A pending client that reports another task, or none, has missed its task.
void Training::on_current_task(const std::string& client, TaskId current, Turn& turn) {
  constexpr Duration in_flight = std::chrono::seconds(5);
  Participant* p = round_->find(client);
  if (p == nullptr || current == p->task || turn.now - p->task_sent_at < in_flight) return;
  if (round_->state(*p) == MemberState::pending) send_task(*p, turn);
}

Reply Training::on_pull(const std::string& client, const messages::Pull& pull, Turn& turn) {
  const CoordinatorConfig& config = shared_.config;
  const PublishedModel& model = *round_->work().model;
  const std::uint64_t bytes = pull.blob == config.model.archive ? config.model.archive_bytes
                                                                : input_blob_bytes(config, model, pull.blob);
  if (bytes == 0) return Stage::on_pull(client, pull, turn);
  const std::uint32_t chunk = config.process.chunk_bytes;
  if (Participant* p = round_->find(client)) {
    const std::uint64_t range = pulled_range(pull, bytes, chunk);
    if (leads_to(model, pull.blob) && range > 0 && pull.offset + range == bytes) p->has_model = true;
    // A client that pulls the same bytes again and again makes no progress.
    p->pulled += range;
    if (p->pulled <= 4 * (config.model.archive_bytes + config.update_elements() * sizeof(float)))
      p->moved_at = turn.now;
  }
  return send_range(pull, bytes, chunk, *shared_.sessions.find(client), turn);
}

Reply Training::on_offer(const std::string& client, const messages::Offer& offer, Turn& turn) {
  Participant* p = round_->find(client);
  if (p == nullptr || offer.task != p->task) return Stage::on_offer(client, offer, turn);
  if (!exchange_->is_current(offer)) return Verdict::discarded;  // the current attempt needs another update
  switch (round_->state(*p)) {
    case MemberState::verifying: return Verdict::discarded;  // its Receipt follows
    case MemberState::counted:
      turn.send(client, messages::Receipt{offer.task, exchange_->receipt(), {}});
      return Verdict::discarded;
    case MemberState::declined:
    case MemberState::rejected:
      turn.send(client, messages::Receipt{offer.task, messages::Verdict::rejected,
                                          "it was refused before in this round"});
      return Verdict::discarded;
    case MemberState::pending:
    case MemberState::absent:
    case MemberState::left: break;
  }
  if (const UpdateSizes sizes = exchange_->sizes(); !sizes.has(offer.bytes))
    return reject(
        *p,
        "its update has " + std::to_string(offer.bytes) + " bytes, " +
            (sizes.least == sizes.most ? "the model needs " + std::to_string(sizes.most)
                                       : "and an encoded one has " + std::to_string(sizes.most) + " at most"),
        turn);
  const auto ticket = exchange_->admit(*p, offer);
  if (!ticket) return reject(*p, ticket.error().what, turn);
  const Verdict verdict = shared_.uploads.on_offer(*ticket, offer.task, turn);
  if (verdict == Verdict::accepted) p->offer = offer;
  return verdict;
}

Reply Training::on_chunk(const std::string& client, const messages::UpdateChunk& chunk,
                         std::uint64_t bulk_bytes, Turn& turn) {
  Participant* p = round_->find(client);
  if (p == nullptr || chunk.task != p->task) return Verdict::discarded;  // late
  Uploads& uploads = shared_.uploads;
  // All attempts at a round have the same task, so that bytes granted in the previous attempt may still be in flight.
  if (round_->attempt() > 1 && uploads.state(client) == UploadState::none && !uploads.is_open(client))
    return Verdict::discarded;
  const auto outcome = uploads.on_chunk(client, chunk.offset, bulk_bytes, turn);
  if (outcome.verdict == Verdict::rejected) return Reply::violation(outcome.violation);
  p->moved_at = turn.now;
  if (outcome.completed) {
    turn.effects.emplace_back(CountUpdate{client});
    p->seconds = seconds(turn.now - p->asked_at);
    apply(round::UpdateComplete{p->index}, turn);
  }
  return outcome.verdict;
}

Verdict Training::on_checked(const UpdateChecked& event, Turn& turn) {
  Participant* p = round_->find(event.client);
  if (p == nullptr || round_->state(*p) != MemberState::verifying) return Verdict::discarded;
  shared_.uploads.on_checked(event.client);
  Result<void> outcome = event.outcome;
  p->norms = event.norms;
  if (outcome) outcome = exchange_->on_counted(*p);
  if (!outcome) return reject(*p, outcome.error().text(), turn);
  if (exchange_->receipt() == messages::Verdict::counted) shared_.clients.on_counted(p->client, p->task);
  turn.send(p->client, messages::Receipt{p->task, exchange_->receipt(), {}});
  turn.log(
      {Log::Level::debug, "counted the update of " + p->client, p->client, {}, LogEvent::update_counted});
  last_counted_at_ = turn.now;
  apply(round::UpdateCounted{p->index}, turn);
  return Verdict::accepted;
}

Verdict Training::reject(Participant& participant, const std::string& reason, Turn& turn) {
  turn.warn_about(participant.client, "rejected", LogEvent::update_rejected,
                  "rejected the update of " + participant.client + ": " + reason);
  turn.send(participant.client, messages::Receipt{participant.task, messages::Verdict::rejected, reason});
  shared_.uploads.release(participant.client);
  apply(round::UpdateRejected{participant.index, reason}, turn);
  return Verdict::rejected;
}

Reply Training::on_decline(const std::string& client, const messages::Decline& decline, Turn& turn) {
  Participant* p = round_->find(client);
  if (p == nullptr || decline.task != p->task) return Verdict::discarded;
  if (!round_->is_expected(*p)) return Verdict::discarded;
  std::string reason = reason_text(decline.report);
  if (const auto position = decline.report.reason.number(Quantity::member))
    if (const std::string member = exchange_->member(*position); !member.empty()) {
      reason += " (it is " + member + ")";
      if (decline.report.reason.code == ReasonCode::shares_invalid && exchange_->was_sent_shares(*p, member))
        round_->contradictions().add({client, member});
    }
  if (is_about_another(decline.report.reason.code))
    turn.warn_about(client, "declined", LogEvent::client_declined, client + " declined: " + reason);
  else p->set_aside = set_aside(shared_, client, decline.report, turn.now - p->asked_at, turn);
  shared_.uploads.release(client);
  apply(round::TaskDeclined{p->index, std::move(reason)}, turn);
  return Verdict::accepted;
}

Reply Training::on_advert(const std::string& client, const messages::KeyAdvert& advert, Turn& turn) {
  Participant* p = round_->find(client);
  return p == nullptr ? Verdict::discarded : exchange_->on_advert(*p, advert, *round_, turn);
}

Reply Training::on_shares(const std::string& client, const messages::EncryptedShares& shares, Turn& turn) {
  Participant* p = round_->find(client);
  return p == nullptr ? Verdict::discarded : exchange_->on_shares(*p, shares, *round_, turn);
}

void Training::on_session_opened(const SessionOpened& opened, Turn& turn) {
  shared_.uploads.release(opened.client);
  Participant* p = round_->find(opened.client);
  if (p == nullptr) return;
  exchange_->on_reconnected(*p, opened.process, *round_, turn);
  carry_out_drops(turn);
  apply(round::MemberReturned{p->index}, turn);
  if (round_->is_open() && round_->state(*p) == MemberState::pending) send_task(*p, turn);
}

void Training::on_session_ended(const std::string& client, Turn& turn) {
  shared_.uploads.release(client);
  if (Participant* p = round_->find(client)) apply(round::MemberLost{p->index}, turn);
}

void Training::on_left(const std::string& client, Turn& turn) {
  if (Participant* p = round_->find(client)) apply(round::MemberLeft{p->index}, turn);
}

void Training::on_removed(const std::string& client, const std::string& why, Turn& turn) {
  shared_.uploads.release(client);
  Participant* p = round_->find(client);
  // An update that is being verified or counted stays: nobody can take it out of a sum that others see as complete.
  if (p != nullptr && round_->is_expected(*p)) apply(round::UpdateRejected{p->index, why}, turn);
}

void Training::on_tick(Turn& turn) {
  shared_.uploads.grant_waiting(turn);
  apply(round::Tick{}, turn);
}

void Training::apply(const round::Event& event, Turn& turn) {
  if (!round_->is_open()) return;
  wait_for_arriving_updates(turn);
  round_->apply(event, turn.now);
}

void Training::wait_for_arriving_updates(Turn& turn) {
  constexpr Duration look_again = std::chrono::seconds(5);
  constexpr int overtime_factor = 4;  // of the time that cohort.deadline_s gives
  const round::Round& round = round_->round();
  if (turn.now < round.closes_at() || round.count(MemberState::counted) >= round.quorum()) return;
  // Otherwise a client whose bytes trickle would hold a round for ever.
  if (turn.now >= round.deadline() + overtime_factor * shared_.config.settings.cohort.deadline) return;
  std::vector<std::string> moving;
  for (const Participant& p : round_->participants())
    // A client with faults has had its chance.
    if (round_->is_expected(p) && round_->state(p) != MemberState::left &&
        shared_.reliability.faults(p.client) == 0 && p.moved_at &&
        turn.now - *p.moved_at < shared_.config.process.stall)
      moving.push_back(p.client);
  const std::size_t within_reach =
      round.count(MemberState::counted) + round.count(MemberState::verifying) + moving.size();
  if (moving.empty() || within_reach < round.quorum()) return;
  if (round.closes_at() == round.deadline())
    turn.warn("round " + std::to_string(round_->id().value) +
              " is past its deadline without its quorum and waits for updates that still arrive from " +
              name_list(moving, 8) + "; a longer cohort.deadline_s lets more clients take part");
  round_->wait_until(turn.now + look_again);
}

void Training::carry_out_drops(Turn& turn) {
  for (const ActiveRound::Drop& drop : round_->take_drops()) {
    if (!round_->is_open()) return;
    const Participant& p = *round_->find(drop.client);
    turn.warn_about(
        p.client, "dropped out", LogEvent::client_dropped,
        p.client + " dropped out of round " + std::to_string(round_->id().value) + ": " + drop.reason);
    turn.send(p.client, messages::Cancel{p.task, drop.reason});
    shared_.uploads.release(p.client);
    apply(round::UpdateRejected{p.index, drop.reason}, turn);
  }
}

std::unique_ptr<Stage> Training::next(Turn& turn) {
  if (stop_asked_) return stopped(turn);
  carry_out_drops(turn);
  if (round_->is_open()) exchange_->advance(*round_, turn);
  carry_out_drops(turn);
  if (round_->is_open()) exchange_->announce(*round_, turn);
  if (round_->is_open()) {
    shared_.uploads.grant_waiting(turn);
    return nullptr;
  }
  if (round_->abandoned()) return abandon(*round_->abandoned(), turn);
  if (auto begun = exchange_->begin_opening(*round_, turn); !begun)
    return abandon(begun.error().text(), turn);
  RoundRecord record = make_record(*round_, shared_, turn.now);
  (void)blame(shared_, faults_of_sealed(*round_, turn.now),
              turn.now - std::max(last_counted_at_, round_->began()), turn);
  close(turn);
  return std::make_unique<Unmasking>(shared_, std::move(round_), std::move(exchange_), std::move(record),
                                     after_, turn);
}

std::unique_ptr<Stage> Training::abandon(const std::string& reason, Turn& turn) {
  close(turn);
  const Remedy apart = settle_contradictions(shared_, *round_, exchange_->contradictors_max(), turn);
  const Remedy blamed =
      blame(shared_, faults_of_abandoned(*round_, turn.now), turn.now - round_->began(), turn);
  const bool helps = apart == Remedy::another_cohort || blamed == Remedy::another_cohort;
  const Remedy remedy = helps ? Remedy::another_cohort : remedy_of_set_aside(shared_, *round_, turn.now);
  return after_.abandoned(
      shared_, *round_,
      {AbandonCause::updates, end_attempt(shared_, *round_, *exchange_, reason, turn), remedy}, turn);
}

void Training::close(Turn& turn) {
  for (const Participant& p : round_->participants())
    if (round_->is_expected(p)) turn.send(p.client, messages::Cancel{p.task, "the round is closed"});
  for (const Participant& p : round_->participants()) shared_.uploads.drop(p.client, turn);
}

Instant Training::next_tick(Instant) const {
  const round::Round& round = round_->round();
  Instant next = std::min(shared_.uploads.next_tick(), exchange_->next_tick());
  // The round does not close while an update is being verified. The result of the verification closes it, not a tick.
  if (round.count(MemberState::verifying) == 0) next = std::min(next, round.closes_at());
  return next;
}

void Training::fill(Progress& progress) const {
  progress.round = round_->id();
  progress.attempt = round_->attempt();
  progress.members = round_->round().members();
  progress.exchange = exchange_->progress(*round_);
  for (const round::Member& member : progress.members)
    if (const UploadState state = shared_.uploads.state(member.client);
        state == UploadState::waiting || state == UploadState::granted)
      progress.uploads.push_back({member.client, shared_.uploads.received(member.client),
                                  shared_.uploads.offered_bytes(member.client),
                                  state == UploadState::waiting});
}

std::string end_attempt(Shared& shared, const ActiveRound& round, Exchange& exchange, std::string reason,
                        Turn& turn) {
  shared.drop_rate.on_attempt(static_cast<std::uint32_t>(round.participants().size()),
                              static_cast<std::uint32_t>(round.counted_names().size()));
  // One client's reason is often that of all, for example a model that does not fit their data.
  const auto& members = round.round().members();
  const auto refused = std::ranges::find_if(members, [](const auto& m) { return !m.reason.empty(); });
  if (refused != members.end()) reason += "; " + refused->client + " says: " + refused->reason;
  exchange.end(round, turn);
  return reason;
}

}  // namespace hansa::server
