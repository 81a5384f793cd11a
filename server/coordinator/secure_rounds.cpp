// Secure sums: the aggregator's machine (protocols/secure_aggregation/aggregator.h) beside the round.
//
// Keys and shares are exchanged while the cohort trains; masked vectors are uploads like any other; then the survivors
// are asked for the shares that unmask their sum. Each exchange ends when everybody who is connected has spoken, or
// after phase_max; who did not speak has dropped out. What leaves too few abandons the attempt, and nothing is learnt.
#include <algorithm>
#include <bit>
#include <cmath>

#include "server/coordinator/coordinator.h"
#include "server/coordinator/internal/member.h"
#include "server/coordinator/internal/secure_round.h"
#include "protocols/secure_aggregation/quantise.h"

namespace hansa::server {

using secure_aggregation::AggregatorSum;
using secure_aggregation::Position;

void Coordinator::begin_secure_sum(const std::vector<std::string>& cohort) {
  const SecureSums& config = *config_.secure_sums;
  secure_aggregation::SumSetup setup;
  setup.federation = config_.federation;
  setup.round = round_->id();
  setup.attempt = attempt_;
  for (std::size_t i = 0; i < setup.nonce.bytes.size(); i += 8) {
    const std::uint64_t number = session_numbers_.next();
    for (std::size_t j = 0; j < 8; ++j)
      setup.nonce.bytes[i + j] = static_cast<std::uint8_t>(number >> (8 * j));
  }
  setup.model = published_.model;
  const std::uint64_t whole[] = {config_.elements};
  setup.segments = secure_aggregation::segments_of(
      config.segments.empty() ? std::span<const std::uint64_t>(whole) : std::span(config.segments));
  setup.clients = static_cast<std::uint32_t>(cohort.size());
  setup.metrics = config.metrics;
  setup.assumptions = config.assumptions;
  std::uint64_t most = 1;
  std::vector<secure_aggregation::Certificate> certificates;
  for (const std::string& client : cohort) {
    most = std::max(most, member(client).examples);
    certificates.push_back(*member(client).certificate);
  }
  // Weights are parts of the largest that a client reports; scales are kept for weights as they are.
  const auto unit = static_cast<double>(std::min(most, config_.limits.examples_max));
  setup.quantisation = secure_aggregation::first_quantisation(setup.clients, unit);
  if (clip_ > 0 && scales_.size() == setup.segments.size()) {
    const auto grid = secure_aggregation::choose_grid(setup.clients, config.value_bits);
    setup.quantisation = {grid.levels, grid.ring_bits, clip_, unit};
    for (std::size_t i = 0; i < scales_.size(); ++i) setup.segments[i].scale = scales_[i] / unit;
  }
  setup.quantisation.rotated = config.rotated;
  setup.quantisation.fraction = config.fraction;
  auto sum = AggregatorSum::begin(std::move(setup), std::move(certificates));
  if (!sum) return abandon(sum.error().text());
  secure_ = std::make_unique<SecureRound>(
      SecureRound{std::move(*sum), {}, {}, now_ + config.phase_max, {}, 0, {}, false});
  const auto& fixed = secure_->sum.setup();
  secure_->id = fixed.digest();
  secure_->sizes =
      masked_update_sizes(secure_aggregation::vector_elements(fixed), fixed.quantisation.ring_bits);
}

std::optional<Position> Coordinator::position_in_sum(const Member& m) const {
  return secure_ ? secure_->sum.position_of(m.name) : std::nullopt;
}

bool Coordinator::is_of_sum(const Member& m, TaskId task, const Digest& setup) const {
  return secure_ && m.place && !m.left_sum && m.task == task && secure_->id == setup;
}

// What a client that was away may have missed; beside its task.
void Coordinator::repeat_sum_message(Member& m) {
  const auto position = position_in_sum(m);
  if (!position || !m.session || !m.session->connected) return;
  AggregatorSum& sum = secure_->sum;
  if (sum.phase() == AggregatorSum::Phase::shares && !sum.has_shares_of(*position))
    effects_->emplace_back(
        SendHeld{m.session->peer, m.session->id, messages::KeyRoster{m.task, secure_->id}, secure_->roster});
  if (sum.phase() != AggregatorSum::Phase::masked) return;
  if (const auto delivery = sum.delivery_for(*position))
    send(m, messages::ShareDelivery{m.task, secure_->id, delivery->sharers.bits(), delivery->shares});
}

void Coordinator::drop_from_round(Member& m, const std::string& reason) {
  m.left_sum = true;
  log(Log::Level::warning,
      m.name + " dropped out of round " + std::to_string(round_->id().value) + ": " + reason);
  send(m, messages::Cancel{m.task, reason});
  release_upload(m);
  apply_to_round(round::UpdateRejected{*m.place, reason});
}

// Whether the phase has a time of its own.
bool Coordinator::waits_for_phase() const {
  return (phase_ == Phase::in_round || phase_ == Phase::unmasking) &&
         secure_->sum.phase() != AggregatorSum::Phase::masked;
}

std::string Coordinator::secure_progress() const {
  const AggregatorSum& sum = secure_->sum;
  const auto of = [](const char* what, std::size_t part, std::size_t whole) {
    return std::string(what) + " of " + std::to_string(part) + " of " + std::to_string(whole);
  };
  switch (sum.phase()) {
    case AggregatorSum::Phase::adverts: return of("keys", sum.adverts(), round_->members().size());
    case AggregatorSum::Phase::shares: return of("shares", sum.sharers(), sum.roster().size());
    case AggregatorSum::Phase::masked: return of("masked updates", sum.masked(), sum.expected_masked());
    case AggregatorSum::Phase::signatures: return of("signatures", sum.signatures(), sum.masked());
    case AggregatorSum::Phase::unmasking: return of("unmasking shares", sum.answers(), sum.masked());
    case AggregatorSum::Phase::failed: break;
  }
  return {};
}

void Coordinator::advance_secure_sum() {
  if (!waits_for_phase()) return;
  const AggregatorSum& sum = secure_->sum;
  const auto is_waited_for = [&](const Member& m) {
    if (!m.place || m.left_sum) return false;
    const auto position = position_in_sum(m);
    switch (sum.phase()) {
      case AggregatorSum::Phase::adverts:
        return round_->members()[m.place->value].state == round::MemberState::pending &&
               !sum.has_keys_of(m.name);
      case AggregatorSum::Phase::shares:
        return round_->members()[m.place->value].state == round::MemberState::pending && position &&
               !sum.has_shares_of(*position);
      case AggregatorSum::Phase::signatures:
        return m.session && position && sum.survivors().has(*position) && !sum.has_signature_of(*position);
      case AggregatorSum::Phase::unmasking:
        return m.session && position && sum.survivors().has(*position) && !sum.has_answer_of(*position);
      case AggregatorSum::Phase::masked:
      case AggregatorSum::Phase::failed: break;
    }
    return false;
  };
  const bool due = now_ >= secure_->phase_until;
  const bool all_spoke = std::none_of(members_.begin(), members_.end(),
                                      [&](const auto& named) { return is_waited_for(*named.second); });
  switch (sum.phase()) {
    case AggregatorSum::Phase::adverts:
      if (all_spoke || due) fix_roster();
      return;
    case AggregatorSum::Phase::shares:
      if (all_spoke || due) fix_sharers();
      return;
    case AggregatorSum::Phase::signatures: {
      // A survivor whose session ended may come back in time; when enough have signed, nobody waits for it.
      const bool enough = sum.signatures() >= sum.parameters().threshold;
      if (!due && !(all_spoke && enough)) return;
      if (auto fixed = secure_->sum.fix_signatures(); !fixed) return abandon(fixed.error().text());
      ask_all_to_unmask();
      return;
    }
    case AggregatorSum::Phase::unmasking: return try_unmask(due || (all_spoke && sum.can_unmask()));
    case AggregatorSum::Phase::masked:
    case AggregatorSum::Phase::failed: return;
  }
}

Coordinator::Verdict Coordinator::on_advert(Member& m, const messages::KeyAdvert& advert) {
  if (!is_of_sum(m, advert.task, advert.setup) || phase_ != Phase::in_round ||
      secure_->sum.has_keys_of(m.name) || secure_->sum.phase() != AggregatorSum::Phase::adverts)
    return Verdict::discarded;  // again, or too late: then it was dropped
  if (auto taken = secure_->sum.on_advert(m.name, advert.advert); !taken) {
    drop_from_round(m, taken.error().text());
    return Verdict::rejected;
  }
  return Verdict::accepted;
}

void Coordinator::fix_roster() {
  AggregatorSum& sum = secure_->sum;
  if (auto fixed = sum.fix_roster(); !fixed) return abandon(fixed.error().text());
  secure_->roster = std::make_shared<const std::vector<std::byte>>(sum.encoded_roster());
  secure_->phase_until = now_ + config_.secure_sums->phase_max;
  for (auto& [name, m] : members_) {
    if (!m->place || position_in_sum(*m)) continue;
    const auto state = round_->members()[m->place->value].state;
    if (state != round::MemberState::pending && state != round::MemberState::absent) continue;
    drop_from_round(*m, "its keys did not come in time");
    if (!secure_) return;  // too few are left
  }
  const auto& setup = sum.setup();
  effects_->emplace_back(
      BeginUpdates{MaskedSetup{sum.context(), static_cast<std::uint32_t>(sum.roster().size()),
                               secure_aggregation::vector_elements(setup), setup.quantisation.ring_bits}});
  for (auto& [name, m] : members_)
    if (m->place) repeat_sum_message(*m);
}

Coordinator::Verdict Coordinator::on_shares(Member& m, const messages::EncryptedShares& shares) {
  const auto position = position_in_sum(m);
  if (!is_of_sum(m, shares.task, shares.setup) || phase_ != Phase::in_round || !position ||
      secure_->sum.has_shares_of(*position) || secure_->sum.phase() != AggregatorSum::Phase::shares)
    return Verdict::discarded;
  if (auto taken = secure_->sum.on_shares(*position, shares.shares); !taken) {
    drop_from_round(m, taken.error().text());
    return Verdict::rejected;
  }
  return Verdict::accepted;
}

void Coordinator::fix_sharers() {
  AggregatorSum& sum = secure_->sum;
  if (auto fixed = sum.fix_sharers(); !fixed) return abandon(fixed.error().text());
  secure_->setup_seconds = seconds(now_ - round_began_);
  for (auto& [name, m] : members_) {
    if (!m->place) continue;
    const auto position = position_in_sum(*m);
    if (!position || sum.expects_masked_of(*position)) continue;
    const auto state = round_->members()[m->place->value].state;
    if (state != round::MemberState::pending && state != round::MemberState::absent) continue;
    drop_from_round(*m, sum.has_shares_of(*position) ? "too few of its neighbours shared their secrets"
                                                     : "its shares did not come in time");
    if (!secure_) return;
  }
  for (auto& [name, m] : members_)
    if (m->place) repeat_sum_message(*m);
}

void Coordinator::begin_unmasking() {
  AggregatorSum& sum = secure_->sum;
  if (auto fixed = sum.fix_survivors(); !fixed) return abandon(fixed.error().text());
  secure_->record = make_record();
  close_round();
  phase_ = Phase::unmasking;
  phase_began_ = now_;
  ask_all_to_unmask();
}

// Those in the sum hear that it is over, and wipe what they still have of it. Others were told when they dropped out,
// or when the round closed.
void Coordinator::end_secure_sum() {
  if (!secure_) return;
  for (auto& [name, m] : members_)
    if (m->place && round_->members()[m->place->value].state == round::MemberState::counted)
      send(*m, messages::Cancel{m->task, "the secure sum is over"});
  secure_.reset();
}

void Coordinator::ask_all_to_unmask() {
  secure_->phase_until = now_ + config_.secure_sums->phase_max;
  for (auto& [name, m] : members_)
    if (m->place) ask_to_unmask(*m);
}

void Coordinator::ask_to_unmask(Member& m) {
  const AggregatorSum& sum = secure_->sum;
  const auto position = position_in_sum(m);
  if (!m.place || m.left_sum || !position || !sum.survivors().has(*position)) return;
  if (sum.phase() == AggregatorSum::Phase::signatures && !sum.has_signature_of(*position))
    send(m, messages::SurvivorSet{m.task, secure_->id, sum.survivors().bits()});
  if (sum.phase() == AggregatorSum::Phase::unmasking && !sum.has_answer_of(*position)) {
    const auto request = sum.request();
    send(m, messages::UnmaskRequest{m.task, secure_->id, request.survivors.bits(), request.signatures});
  }
}

Coordinator::Verdict Coordinator::on_signature(Member& m, const messages::SurvivorSignature& signature) {
  const auto position = position_in_sum(m);
  if (!is_of_sum(m, signature.task, signature.setup) || phase_ != Phase::unmasking || !position ||
      secure_->sum.phase() != AggregatorSum::Phase::signatures || secure_->sum.has_signature_of(*position))
    return Verdict::discarded;
  if (auto taken = secure_->sum.on_signature(*position, signature.signature); !taken) {
    log(Log::Level::warning, taken.error().text());
    m.left_sum = true;
    return Verdict::rejected;
  }
  return Verdict::accepted;
}

Coordinator::Verdict Coordinator::on_unmask_shares(Member& m, const messages::UnmaskShares& shares) {
  const auto position = position_in_sum(m);
  if (!is_of_sum(m, shares.task, shares.setup) || phase_ != Phase::unmasking || !position ||
      secure_->sum.phase() != AggregatorSum::Phase::unmasking || secure_->sum.has_answer_of(*position))
    return Verdict::discarded;
  secure_aggregation::UnmaskShares answer;
  for (const auto& share : shares.shares)
    std::ranges::copy(share, answer.shares.emplace_back().bytes().begin());
  if (auto taken = secure_->sum.on_answer(*position, std::move(answer)); !taken) {
    log(Log::Level::warning, taken.error().text());
    m.left_sum = true;
    return Verdict::rejected;
  }
  return Verdict::accepted;
}

// As soon as enough have answered; once more with all answers if some of the first were wrong.
void Coordinator::try_unmask(bool last) {
  AggregatorSum& sum = secure_->sum;
  if (!last && (secure_->unmask_failed || !sum.can_unmask())) return;
  if (!sum.can_unmask())
    return abandon("only " + std::to_string(sum.answers()) + " of " + std::to_string(sum.masked()) +
                   " survivors told the shares that unmask their sum");
  auto terms = sum.unmask_terms();
  if (!terms) {
    log(Log::Level::warning, terms.error().text());
    secure_->unmask_failed = true;
    if (last) abandon(terms.error().text());
    return;
  }
  CommitRound done{std::move(*secure_->record)};
  done.record.seconds = seconds(now_ - round_began_);
  const auto& q = sum.setup().quantisation;
  SecureSumRecord& record = done.record.secure.emplace();
  record.neighbours = sum.parameters().neighbours;
  record.threshold = sum.parameters().threshold;
  record.with_keys = static_cast<std::uint32_t>(sum.roster().size());
  record.recovered = static_cast<std::uint32_t>(sum.sharers() - sum.masked());
  record.value_bits = static_cast<std::uint32_t>(std::bit_width(q.levels));
  record.ring_bits = q.ring_bits;
  record.clip = q.clip;
  for (const auto& segment : sum.setup().segments) record.scales.push_back(segment.scale * q.weight_unit);
  record.setup_seconds = secure_->setup_seconds;
  record.unmask_seconds = seconds(now_ - phase_began_);
  done.opening = SumOpening{sum.setup(), std::move(*terms), sum.survivors()};
  commit(std::move(done));
}

Coordinator::Verdict Coordinator::on_sum_refused(const SumRefused& event) {
  if (phase_ != Phase::committing || !round_ || round_->id() != event.round) return Verdict::discarded;
  abandon(event.reason);
  return Verdict::accepted;
}

}  // namespace hansa::server
