// A secure sum after the round is sealed: the survivors sign (in the active threat model) and reveal what unmasks their
// sum.
#include <algorithm>
#include <bit>
#include <cmath>

#include "server/coordinator/internal/secure_exchange.h"

namespace hansa::server {

Result<void> SecureExchange::begin_opening(ActiveRound& round, Turn& turn) {
  HANSA_TRY_VOID(sum_.fix_survivors());
  ask_all_to_open(round, turn);
  return {};
}

void SecureExchange::ask_all_to_open(const ActiveRound& round, Turn& turn) {
  phase_until_ = turn.now + config_.phase_max;
  for (const Participant& p : round.participants()) ask_to_open(p, turn);
}

void SecureExchange::ask_to_open(const Participant& participant, Turn& turn) {
  const auto at = position(participant);
  if (left_.contains(participant.client) || !at || !sum_.survivors().has(*at)) return;
  if (sum_.phase() == SumPhase::signatures && !sum_.has_signature_of(*at))
    turn.send(participant.client, messages::SurvivorSet{participant.task, id_, sum_.survivors().bits()});
  if (sum_.phase() == SumPhase::unmasking && !sum_.has_answer_of(*at)) {
    const auto request = sum_.request();
    turn.send(participant.client,
              messages::UnmaskRequest{participant.task, id_, request.survivors.bits(), request.signatures});
  }
}

Verdict SecureExchange::on_signature(const Participant& participant,
                                     const messages::SurvivorSignature& signature, Turn& turn) {
  const auto at = position(participant);
  if (!is_of_sum(participant, signature.task, signature.setup) || !at ||
      sum_.phase() != SumPhase::signatures || sum_.has_signature_of(*at))
    return Verdict::discarded;
  if (auto taken = sum_.on_signature(*at, signature.signature); !taken) {
    turn.warn_about(participant.client, "unmask shares", LogEvent::client_dropped, taken.error().text());
    left_.insert(participant.client);
    return Verdict::rejected;
  }
  return Verdict::accepted;
}

Verdict SecureExchange::on_unmask_shares(const Participant& participant, const messages::UnmaskShares& shares,
                                         Turn& turn) {
  const auto at = position(participant);
  if (!is_of_sum(participant, shares.task, shares.setup) || !at || sum_.phase() != SumPhase::unmasking ||
      sum_.has_answer_of(*at))
    return Verdict::discarded;
  secure_aggregation::UnmaskShares answer;
  for (const auto& share : shares.shares)
    std::ranges::copy(share, answer.shares.emplace_back().bytes().begin());
  if (auto taken = sum_.on_answer(*at, std::move(answer)); !taken) {
    turn.log({Log::Level::warning, taken.error().text(), participant.client, {}, LogEvent::client_dropped});
    left_.insert(participant.client);
    return Verdict::rejected;
  }
  return Verdict::accepted;
}

Verdict SecureExchange::on_refused_opening(const Participant& participant, const messages::Report& report,
                                           Turn& turn) {
  const auto at = position(participant);
  if (!at || !sum_.survivors().has(*at)) return Verdict::discarded;
  if (!left_.insert(participant.client).second) return Verdict::discarded;
  if (report.reason.code == ReasonCode::sum_repeated) repeated_.insert(participant.client);
  turn.warn_about(participant.client, "unmasking", LogEvent::client_dropped,
                  participant.client + " does not help to unmask: " + reason_text(report));
  return Verdict::accepted;
}

bool SecureExchange::can_still_open() const {
  std::set<Position> refusing;
  for (const std::string& client : left_)
    if (const auto at = sum_.position_of(client)) refusing.insert(*at);
  return sum_.can_open_without(refusing);
}

Opening SecureExchange::opening(const ActiveRound& round, const Sessions& sessions, Turn& turn) {
  const auto has_spoken = [&](Position at) {
    return sum_.phase() == SumPhase::signatures ? sum_.has_signature_of(at) : sum_.has_answer_of(at);
  };
  // A survivor whose session has ended may come back in time. If enough others have answered, the sum does not wait for
  // it.
  const bool all_spoke = std::ranges::none_of(round.participants(), [&](const Participant& p) {
    const auto at = position(p);
    return !left_.contains(p.client) && at && sum_.survivors().has(*at) && !has_spoken(*at) &&
           sessions.find(p.client) != nullptr;
  });
  const bool is_over = turn.now >= phase_until_;
  const bool due = is_over || (all_spoke && !can_still_open());
  Opening out;
  if (sum_.phase() == SumPhase::unmasking) {
    out = try_to_unmask(due || (all_spoke && sum_.can_unmask()), turn);
  } else if (sum_.phase() == SumPhase::signatures) {
    const bool enough = sum_.signatures() >= sum_.parameters().threshold;
    if (!due && !(all_spoke && enough)) return {};
    std::vector<Fault> silent = faults_of_silent(round, is_over);
    if (auto fixed = sum_.fix_signatures(); !fixed)
      return {Opening::State::failed, fixed.error().text(), std::nullopt, std::move(silent), {},
              most_repeated()};
    ask_all_to_open(round, turn);
  }
  if (due && out.state != Opening::State::waiting)
    for (Fault& fault : faults_of_silent(round, is_over)) out.faults.push_back(std::move(fault));
  out.is_explained = out.state == Opening::State::failed && most_repeated();
  return out;
}

// Unmasks as soon as enough survivors have answered. If some answers are wrong, tries again with each further one.
Opening SecureExchange::try_to_unmask(bool last, Turn& turn) {
  using secure_aggregation::OpeningEffort;
  if (attempt_ && !attempt_->opened) return {};
  if (attempt_ && (attempt_->opened->terms ||
                   (last && attempt_->effort == OpeningEffort::all && attempt_->answers == sum_.answers())))
    return masks_opened();
  if (!sum_.can_unmask()) {
    if (!last) return {};
    return {Opening::State::failed, "only " + std::to_string(sum_.answers()) + " of " +
                                        std::to_string(sum_.masked()) +
                                        " survivors revealed the shares that unmask their sum"};
  }
  if (!last && attempt_ && attempt_->answers == sum_.answers()) return {};
  const auto effort = last ? OpeningEffort::all : OpeningEffort::decode;
  attempt_.emplace(Attempt{sum_.answers(), effort, nullptr});
  turn.effects.emplace_back(OpenMasks{sum_.revealed(), effort});
  return {};
}

Verdict SecureExchange::on_masks_opened(const MasksOpened& event, Turn& turn) {
  if (!attempt_ || attempt_->opened || event.context != sum_.context()) return Verdict::discarded;
  attempt_->opened = event.opened;
  if (!event.opened->terms) turn.warn(event.opened->terms.error().text());
  return Verdict::accepted;
}

Opening SecureExchange::masks_opened() {
  auto& [terms, wrong, dealers] = *attempt_->opened;
  Opening out;
  for (const auto& [owner, holder] : wrong)
    out.contradictions.push_back({sum_.name_of(owner), sum_.name_of(holder)});
  for (const Position dealer : dealers)
    out.faults.push_back({sum_.name_of(dealer), "the shares that it sent do not rebuild its secret"});
  if (terms) {
    out.state = Opening::State::ready;
    out.sum.emplace(SumOpening{sum_.setup(), std::move(*terms), sum_.survivors(), bounds(), config_.number});
  } else {
    out.state = Opening::State::failed;
    out.reason = terms.error().text();
  }
  return out;
}

// In a new run on the model of an earlier one, all clients refuse to open a sum that would show with the earlier one the
// updates of few: then it is no client's fault. Corrupt clients that claim this are fewer, and have no excuse.
bool SecureExchange::most_repeated() const { return 2 * repeated_.size() > sum_.survivors().count(); }

// is_over: the time for the answers has passed. Before, only those that have refused are at fault: others may be on their
// way, or disconnected for a moment.
std::vector<Fault> SecureExchange::faults_of_silent(const ActiveRound& round, bool is_over) const {
  std::vector<Fault> out;
  for (const Participant& p : round.participants()) {
    const auto at = position(p);
    if (!at || !sum_.survivors().has(*at)) continue;
    if (sum_.phase() == SumPhase::unmasking ? sum_.has_answer_of(*at) : sum_.has_signature_of(*at)) continue;
    if (!is_over && !left_.contains(p.client)) continue;
    if (most_repeated() && repeated_.contains(p.client)) continue;
    out.push_back({p.client, "it did not help to unmask the sum"});
  }
  return out;
}

// What the survivors reported about their data limits the total weight, with room for data that arrived or went since.
// Corrupt clients may report anything, so that the lower limit leaves out the largest reports.
SumBounds SecureExchange::bounds() const {
  constexpr double room = 4, bucket = 2;  // a report is rounded up to a power of two
  constexpr double arriving =
      1'024;  // a device whose data has just begun to arrive may have many times its report
  std::vector<double> reports;
  for (secure_aggregation::Position at = 0; at < sum_.roster().size(); ++at) {
    if (!sum_.survivors().has(at)) continue;
    const auto found = config_.reported.find(sum_.name_of(at));
    const std::uint64_t examples = found == config_.reported.end() ? 1 : found->second;
    reports.push_back(static_cast<double>(std::min(examples, config_.limits.examples_max)));
  }
  std::ranges::sort(reports);
  const auto clients = static_cast<double>(reports.size());
  const auto magnitude_max = static_cast<float>(config_.limits.magnitude_max);
  if (config_.weights == Weights::one) return {clients, clients, magnitude_max, sum_.contributors_needed()};
  const std::size_t corrupt = secure_aggregation::corrupt_clients(static_cast<std::uint32_t>(reports.size()),
                                                                  sum_.setup().assumptions);
  const std::size_t honest = reports.size() - std::min(reports.size(), corrupt);
  double least = 0, all = 0;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    all += reports[i];
    if (i < honest) least += reports[i];
  }
  return {std::max(clients, least / bucket / room), all * room + clients * arriving, magnitude_max,
          sum_.contributors_needed()};
}

void SecureExchange::complete(RoundRecord& round, Duration opening_time) const {
  const auto& q = sum_.setup().quantisation;
  SecureSumRecord& record = round.secure.emplace();
  record.neighbours = sum_.parameters().neighbours;
  record.threshold = sum_.parameters().threshold;
  record.with_keys = static_cast<std::uint32_t>(sum_.roster().size());
  record.recovered = static_cast<std::uint32_t>(sum_.sharers() - sum_.masked());
  record.value_bits = static_cast<std::uint32_t>(std::bit_width(q.levels));
  record.ring_bits = q.ring_bits;
  record.clip = q.clip;
  for (const auto& segment : sum_.setup().segments) record.scales.push_back(segment.scale * q.weight_unit);
  record.setup_seconds = setup_seconds_;
  record.unmask_seconds = seconds(opening_time);
}

// Tells the clients in the sum that it is over, so that they wipe their secrets. The other clients were told when they
// dropped out or when the round closed.
void SecureExchange::end(const ActiveRound& round, Turn& turn) {
  for (const Participant& p : round.participants())
    if (round.state(p) == round::MemberState::counted)
      turn.send(p.client, messages::Cancel{p.task, "the secure sum is over"});
}

}  // namespace hansa::server
