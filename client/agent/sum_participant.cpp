#include "client/agent/sum_participant.h"

#include <algorithm>
#include <utility>

#include "common/column_statistics.h"
#include "common/held_out_metrics.h"

namespace hansa::client {

SumParticipant::SumParticipant(std::string federation, std::optional<SecureSums> sums, ReportPolicy reports)
    : federation_(std::move(federation)), sums_(std::move(sums)), reports_(reports) {}

Result<void> SumParticipant::check(const messages::TrainTask& task, const std::string& client) const {
  if (!task.secure) {
    if (sums_ && sums_->required)
      return fail(
          ErrorCode::refused, "secure aggregation", "is off, and this client's updates are for sums only",
          "set secure_aggregation.enabled in federation.toml, or secure_aggregation.required = false here",
          {ReasonCode::sum_required, {}});
    return {};
  }
  if (!sums_)
    return fail(ErrorCode::refused, "secure aggregation", "is on, and this client knows no root key",
                "set secure_aggregation.root in client.toml to the operator's",
                {ReasonCode::root_unknown, {}});
  // What is not in the setup, which all clients sign, the aggregator could choose so that the sum shows one update.
  if (!std::ranges::all_of(task.inputs, [](const messages::TaskInput& i) { return i.values.has_value(); }))
    return fail(ErrorCode::protocol, "secure aggregation", "does not name the values of every input");
  if (task.seed != messages::training_seed(task.secure->seed, client))
    return fail(ErrorCode::refused, "secure aggregation", "gives this client a seed of its own choice");
  const auto setup = messages::sum_setup(federation_, task);
  HANSA_TRY_VOID(secure_aggregation::check(setup));
  if (setup.parameters() != messages::update_values(task))
    return fail(ErrorCode::protocol, "secure aggregation", "has segments that are not the update's");
  if (const auto seen = sums_->opened.certificate_epoch(); setup.certificate_epoch < seen)
    return fail(ErrorCode::refused, "secure aggregation",
                "is of epoch " + std::to_string(setup.certificate_epoch) +
                    ", and this client was in sums of epoch " + std::to_string(seen),
                "set secure_aggregation.epoch in federation.toml to that of the certificates",
                {ReasonCode::certificate_outdated, {}});
  return secure_aggregation::check(setup, sums_->policy);
}

void SumParticipant::reset() {
  sum_.reset();
  trained_.reset();
}

// Logs the progress of the sum, for debugging. The text contains no secret.
void SumParticipant::log_progress(const std::string& what, std::vector<SumEffect>& effects) const {
  const auto& setup = sum_->machine.setup();
  effects.emplace_back(
      Log{Log::Level::debug,
          "round " + std::to_string(setup.round.value) + ", sum " + sum_->setup.brief() + ": " + what,
          LogEvent::sum_progressed, setup.round});
}

bool SumParticipant::is_of_sum(TaskId task, const Digest& setup) const {
  return sum_ && sum_->task == task && sum_->setup == setup;
}

void SumParticipant::fail_sum(TaskId task, const Error& error, std::vector<SumEffect>& effects) {
  const auto round = sum_ ? std::optional(sum_->machine.setup().round) : std::nullopt;
  sum_.reset();
  effects.emplace_back(
      Log{Log::Level::error, "left the secure sum: " + error.text(), LogEvent::sum_left, round});
  effects.emplace_back(Say{messages::Decline{task, report_of(error, reports_)}});
  effects.emplace_back(round::TaskEvent(round::CancelArrived{}));
}

void SumParticipant::join(const messages::TrainTask& task, const std::string& client,
                          std::vector<SumEffect>& effects) {
  if (!task.secure) return;
  auto setup = messages::sum_setup(federation_, task);
  const Digest digest = setup.digest();
  if (!sum_ || sum_->setup != digest) {
    effects.emplace_back(round::TaskEvent(round::UpdateWithdrawn{}));
    sum_.reset();
    auto machine = secure_aggregation::ClientSum::begin(
        std::move(setup), sums_->policy, {client, sums_->key.get(), sums_->root, sums_->former_root});
    if (!machine) return fail_sum(task.task, machine.error(), effects);
    sum_.emplace(Sum{
        task.task, digest, task.method.name, std::move(*machine), {}, std::nullopt, false, {}, std::nullopt});
  }
  log_progress("sends its keys", effects);
  effects.emplace_back(Say{messages::KeyAdvert{task.task, digest, sum_->machine.advert()}});
  if (sum_->shares) effects.emplace_back(Say{*sum_->shares});
}

void SumParticipant::report_clock(UtcSeconds now, std::vector<SumEffect>& effects) {
  const auto issued = sum_->machine.issued_after_now();
  if (!issued || std::exchange(clock_reported_, true)) return;
  effects.emplace_back(Log{Log::Level::error, "the clock of this device shows " + date_text(now) +
                                                  ", before a certificate was issued (" + date_text(*issued) +
                                                  "): certificates that expired since then are not refused"});
}

void SumParticipant::hear(const messages::KeyRoster& m, const ArrivedRoster& arrived,
                          std::vector<SumEffect>& effects) {
  if (!is_of_sum(m.task, m.setup)) return;
  const Digest roster = sha256(arrived.bytes);
  if (!sum_->shares) {
    auto shares = sum_->machine.on_roster(arrived.bytes, arrived.at);
    if (!shares) return fail_sum(m.task, shares.error(), effects);
    report_clock(arrived.at, effects);
    sum_->roster = roster;
    sum_->shares = messages::EncryptedShares{m.task, m.setup, std::move(*shares)};
  } else if (sum_->roster != roster) {
    return fail_sum(
        m.task, Error{ErrorCode::refused, "secure aggregation", "shows two rosters of one sum", {}}, effects);
  }
  log_progress("sends its shares", effects);
  effects.emplace_back(Say{*sum_->shares});
}

void SumParticipant::hear(const messages::ShareDelivery& m, std::vector<SumEffect>& effects) {
  // A second delivery changes nothing.
  if (!is_of_sum(m.task, m.setup) || sum_->machine.can_mask() || sum_->machine.answered()) return;
  const std::size_t neighbours = sum_->shares ? sum_->shares->shares.size() : 0;
  auto sharers = secure_aggregation::Subset::of(neighbours, m.sharers);
  if (!sharers) return fail_sum(m.task, sharers.error(), effects);
  if (auto done = sum_->machine.on_delivery({std::move(*sharers), m.shares}); !done)
    return fail_sum(m.task, done.error(), effects);
  log_progress("has its neighbours' shares", effects);
  mask_if_ready(effects);
}

bool SumParticipant::may_train(const messages::TrainTask& task) const {
  if (!task.secure || task.secure->assumptions.threat_model != secure_aggregation::ThreatModel::active)
    return true;
  return sum_ && sum_->task == task.task && (sum_->machine.can_mask() || sum_->machine.answered());
}

void SumParticipant::trained(const messages::Offer& update, std::vector<SumEffect>& effects) {
  trained_ = update;
  mask_if_ready(effects);
}

void SumParticipant::mask_if_ready(std::vector<SumEffect>& effects) {
  if (!sum_ || sum_->masking || !trained_ || !sum_->machine.can_mask()) return;
  auto terms = sum_->machine.mask_terms();
  if (!terms) return fail_sum(sum_->task, terms.error(), effects);
  sum_->masking = true;
  effects.emplace_back(MaskUpdate{sum_->task, sum_->machine.setup(), std::move(*terms),
                                  sum_->machine.rounding_seed(), trained_->examples, trained_->metrics});
}

void SumParticipant::masked(const UpdateMasked& event, std::vector<SumEffect>& effects) {
  if (!is_of_sum(event.task, event.setup) || !trained_) return;
  // The training time, rounded to a power of two, is all that the aggregator learns of the training itself.
  messages::Offer offer;
  offer.task = event.task;
  offer.update = event.update;
  offer.bytes = event.bytes;
  offer.train_seconds = visible_seconds(trained_->train_seconds);
  offer.setup = event.setup;
  log_progress("has masked its update", effects);
  effects.emplace_back(round::TaskEvent(round::TrainingDone{offer}));
}

Result<secure_aggregation::Subset> SumParticipant::survivors_of(std::span<const std::uint8_t> bits) const {
  return secure_aggregation::Subset::of(sum_->machine.clients(), {bits.begin(), bits.end()});
}

// A signature of the survivors helps to open their sum as the shares do, because others may reveal theirs with it.
template <class Request>
void SumParticipant::open(const Request& m, std::vector<SumEffect>& effects) {
  if (!is_of_sum(m.task, m.setup)) return;
  const auto survivors = survivors_of(m.survivors);
  if (!survivors) return fail_sum(m.task, survivors.error(), effects);
  // Only a request that would be answered is remembered: what is remembered limits later sums, also after a restart.
  if (auto valid = check_request(m, *survivors); !valid) return fail_sum(m.task, valid.error(), effects);
  const secure_aggregation::SumSetup& setup = sum_->machine.setup();
  secure_aggregation::OpenedSum opening{setup.model, trained_->update, sum_->machine.tags_of(*survivors),
                                        setup.grid(), setup.certificate_epoch};
  if (sums_->opened.has(opening)) return answer(m, effects);
  if (auto allowed = check_earlier_sums(opening); !allowed) return fail_sum(m.task, allowed.error(), effects);
  sum_->waiting = m;
  sum_->opening = opening;
  effects.emplace_back(RememberOpening{m.task, m.setup, std::move(opening)});
}

Result<void> SumParticipant::check_earlier_sums(const secure_aggregation::OpenedSum& opening) const {
  const std::size_t contributors_min = sum_->machine.contributors_needed();
  if (sum_->method == statistics_method) return sums_->opened.check_statistics(opening, contributors_min);
  HANSA_TRY_VOID(sums_->opened.check(opening, contributors_min));
  if (std::ranges::any_of(sum_->machine.setup().metrics, is_of_held_out))
    return sums_->opened.check_measured(opening);
  return {};
}

Result<void> SumParticipant::check_request(const messages::SurvivorSet&,
                                           const secure_aggregation::Subset& survivors) const {
  HANSA_TRY_VOID(check_masked());
  return sum_->machine.check_signing(survivors);
}

Result<void> SumParticipant::check_request(const messages::UnmaskRequest& m,
                                           const secure_aggregation::Subset& survivors) const {
  HANSA_TRY_VOID(check_masked());
  return sum_->machine.check_unmasking({survivors, m.signatures});
}

Result<void> SumParticipant::check_masked() const {
  if (trained_ && sum_->masking) return {};
  return fail(ErrorCode::protocol, "secure aggregation",
              "is to be opened before this client's update is in it");
}

void SumParticipant::remembered(const OpeningRemembered& event, std::vector<SumEffect>& effects) {
  if (!is_of_sum(event.task, event.setup) || !sum_->opening) return;
  if (!event.done) return fail_sum(event.task, event.done.error(), effects);
  sums_->opened.add(*std::exchange(sum_->opening, std::nullopt));
  const auto waiting = std::exchange(sum_->waiting, std::monostate{});
  if (const auto* set = std::get_if<messages::SurvivorSet>(&waiting)) answer(*set, effects);
  if (const auto* request = std::get_if<messages::UnmaskRequest>(&waiting)) answer(*request, effects);
}

void SumParticipant::hear(const messages::SurvivorSet& m, std::vector<SumEffect>& effects) {
  open(m, effects);
}
void SumParticipant::hear(const messages::UnmaskRequest& m, std::vector<SumEffect>& effects) {
  open(m, effects);
}

void SumParticipant::answer(const messages::SurvivorSet& m, std::vector<SumEffect>& effects) {
  const auto survivors = survivors_of(m.survivors);
  if (!survivors) return fail_sum(m.task, survivors.error(), effects);
  auto signature = sum_->machine.on_survivors(*survivors);
  if (!signature) return fail_sum(m.task, signature.error(), effects);
  effects.emplace_back(Say{messages::SurvivorSignature{m.task, m.setup, *signature}});
}

void SumParticipant::answer(const messages::UnmaskRequest& m, std::vector<SumEffect>& effects) {
  const auto survivors = survivors_of(m.survivors);
  if (!survivors) return fail_sum(m.task, survivors.error(), effects);
  auto answer = sum_->machine.on_unmask({*survivors, m.signatures});
  if (!answer) return fail_sum(m.task, answer.error(), effects);
  messages::UnmaskShares shares{m.task, m.setup, {}};
  for (const Secret32& share : answer->shares) {
    auto& to = shares.shares.emplace_back();
    std::copy(share.bytes().begin(), share.bytes().end(), to.begin());
  }
  log_progress("reveals the shares that unmask the sum of " + std::to_string(survivors->count()) + " clients",
               effects);
  effects.emplace_back(Say{std::move(shares)});
}

}  // namespace hansa::client
