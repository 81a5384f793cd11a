// A secure sum while the cohort trains: keys, shares, masked updates. secure_opening.cpp has the rest.
#include "server/coordinator/internal/secure_exchange.h"

#include <algorithm>

#include "protocols/secure_aggregation/quantise.h"

namespace hansa::server {

using secure_aggregation::AggregatorSum;

SecureExchange::SecureExchange(AggregatorSum sum, Config config, Instant now)
    : sum_(std::move(sum)),
      config_(std::move(config)),
      id_(sum_.setup().digest()),
      sizes_(masked_update_sizes(secure_aggregation::vector_elements(sum_.setup()),
                                 sum_.setup().quantisation.ring_bits)),
      began_(now),
      phase_until_(now + config_.phase_max) {}

void SecureExchange::describe(messages::TrainTask& task) const { task.secure = config_.secure; }

bool SecureExchange::is_of_sum(const Participant& participant, TaskId task, const Digest& setup) const {
  return participant.task == task && id_ == setup && !left_.contains(participant.client);
}

void SecureExchange::leave(const Participant& participant, std::string reason, ActiveRound& round) {
  left_.insert(participant.client);
  round.drop(participant, std::move(reason));
}

void SecureExchange::repeat(const Participant& participant, Turn& turn) {
  const auto at = position(participant);
  if (!at) return;
  if (sum_.phase() == SumPhase::shares && !sum_.has_shares_of(*at))
    turn.send_held(participant.client, messages::KeyRoster{participant.task, id_}, roster_);
  if (sum_.phase() != SumPhase::masked) return;
  if (const auto delivery = sum_.delivery_for(*at))
    turn.send(participant.client,
              messages::ShareDelivery{participant.task, id_, delivery->sharers.bits(), delivery->shares});
}

void SecureExchange::on_reconnected(const Participant& participant, Process process, ActiveRound& round,
                                    Turn& turn) {
  // A client keeps its keys only in memory, so that a restarted client has lost them.
  if (process == Process::fresh && sum_.has_keys_of(participant.client)) {
    left_.insert(participant.client);
    if (round.is_open()) round.drop(participant, "it was restarted in the middle of a secure sum");
  }
  ask_to_open(participant, turn);
}

Result<UpdateTicket> SecureExchange::admit(const Participant& participant,
                                           const messages::Offer& offer) const {
  const auto at = position(participant);
  if (!at || !sum_.expects_masked_of(*at))
    return fail(ErrorCode::protocol, "", "its masked update came before the shares were exchanged");
  return UpdateTicket{participant.client, *at, offer.bytes,   offer.update, 0,
                      participant.seed,   {},  config_.number};
}

Result<void> SecureExchange::on_counted(const Participant& participant) {
  return sum_.on_masked(*position(participant));
}

Verdict SecureExchange::on_advert(const Participant& participant, const messages::KeyAdvert& advert,
                                  ActiveRound& round, Turn&) {
  if (!is_of_sum(participant, advert.task, advert.setup) || sum_.has_keys_of(participant.client) ||
      sum_.phase() != SumPhase::adverts)
    return Verdict::discarded;  // repeated, or too late: the participant has been dropped
  if (auto taken = sum_.on_advert(participant.client, advert.advert); !taken) {
    leave(participant, taken.error().text(), round);
    return Verdict::rejected;
  }
  return Verdict::accepted;
}

Verdict SecureExchange::on_shares(const Participant& participant, const messages::EncryptedShares& shares,
                                  ActiveRound& round, Turn&) {
  const auto at = position(participant);
  if (!is_of_sum(participant, shares.task, shares.setup) || !at || sum_.has_shares_of(*at) ||
      sum_.phase() != SumPhase::shares)
    return Verdict::discarded;
  if (auto taken = sum_.on_shares(*at, shares.shares); !taken) {
    leave(participant, taken.error().text(), round);
    return Verdict::rejected;
  }
  return Verdict::accepted;
}

bool SecureExchange::is_waited_for(const Participant& participant, const ActiveRound& round) const {
  if (left_.contains(participant.client) || round.state(participant) != round::MemberState::pending)
    return false;
  if (sum_.phase() == SumPhase::adverts) return !sum_.has_keys_of(participant.client);
  const auto at = position(participant);
  return sum_.phase() == SumPhase::shares && at && !sum_.has_shares_of(*at);
}

void SecureExchange::advance(ActiveRound& round, Turn& turn) {
  if (sum_.phase() != SumPhase::adverts && sum_.phase() != SumPhase::shares) return;
  const bool all_spoke = std::ranges::none_of(round.participants(),
                                              [&](const Participant& p) { return is_waited_for(p, round); });
  if (!all_spoke && turn.now < phase_until_) return;
  if (sum_.phase() == SumPhase::adverts) fix_roster(round, turn);
  else fix_sharers(round, turn);
}

void SecureExchange::fix_roster(ActiveRound& round, Turn& turn) {
  if (auto fixed = sum_.fix_roster(); !fixed) return round.abandon(fixed.error().text());
  roster_ = std::make_shared<const std::vector<std::byte>>(sum_.encoded_roster());
  phase_until_ = turn.now + config_.phase_max;
  for (const Participant& p : round.participants())
    if (!position(p) && round.is_expected(p)) leave(p, "its keys did not come in time", round);
  announcement_due_ = true;
}

void SecureExchange::fix_sharers(ActiveRound& round, Turn& turn) {
  if (auto fixed = sum_.fix_sharers(); !fixed) return round.abandon(fixed.error().text());
  setup_seconds_ = seconds(turn.now - began_);
  for (const Participant& p : round.participants()) {
    const auto at = position(p);
    if (!at || sum_.expects_masked_of(*at) || !round.is_expected(p)) continue;
    leave(p,
          sum_.has_shares_of(*at) ? "too few of its neighbours shared their secrets"
                                  : "its shares did not come in time",
          round);
  }
  announcement_due_ = true;
}

void SecureExchange::announce(ActiveRound& round, Turn& turn) {
  if (!std::exchange(announcement_due_, false)) return;
  const secure_aggregation::SumSetup& setup = sum_.setup();
  if (sum_.phase() == SumPhase::shares)
    turn.effects.emplace_back(BeginUpdates{MaskedSetup{
        sum_.context(), static_cast<std::uint32_t>(sum_.roster().size()),
        secure_aggregation::vector_elements(setup), setup.quantisation.ring_bits, config_.number}});
  for (const Participant& p : round.participants()) repeat(p, turn);
}

Instant SecureExchange::next_tick() const {
  const bool timed = sum_.phase() != SumPhase::masked && sum_.phase() != SumPhase::failed &&
                     !(attempt_ && !attempt_->opened);
  return timed ? phase_until_ : Instant::max();
}

std::string SecureExchange::member(std::uint64_t position) const {
  return position < sum_.roster().size() ? sum_.roster()[position].certificate.client : std::string();
}

bool SecureExchange::was_sent_shares(const Participant& participant, std::string_view of) const {
  const auto holder = position(participant), owner = sum_.position_of(of);
  return holder && owner && sum_.was_delivered(*owner, *holder);
}

std::string SecureExchange::progress(const ActiveRound& round) const {
  const auto of = [](const char* what, std::size_t part, std::size_t whole) {
    return std::string(what) + " of " + std::to_string(part) + " of " + std::to_string(whole);
  };
  switch (sum_.phase()) {
    case SumPhase::adverts: return of("keys", sum_.adverts(), round.participants().size());
    case SumPhase::shares: return of("shares", sum_.sharers(), sum_.roster().size());
    case SumPhase::masked: return of("masked updates", sum_.masked(), sum_.expected_masked());
    case SumPhase::signatures: return of("signatures", sum_.signatures(), sum_.masked());
    case SumPhase::unmasking: return of("unmasking shares", sum_.answers(), sum_.masked());
    case SumPhase::failed: break;
  }
  return {};
}

}  // namespace hansa::server
