// The agent's part in secure sums: a client's machine (protocols/secure_aggregation/client.h) beside its task.
//
// Keys and shares are exchanged while the model comes and the training runs. An update is offered only masked; where
// the sum fails the client declines, and the update stays here.
#include "client/agent/agent.h"

#include <algorithm>

namespace hansa::client {

void Agent::say(messages::ToAggregator message) {
  if (state_ != LinkState::online) return;
  last_said_ = now_;
  effects_->emplace_back(Send{session_, std::move(message)});
}

// What can be told of a task before any work: security that is less than this client asks for is no task for it.
Result<void> Agent::check_security(const messages::TrainTask& task) const {
  if (!task.secure) {
    if (config_.secure_sums && config_.secure_sums->required)
      return fail(
          ErrorCode::refused, "secure aggregation", "is off, and this client's updates are for sums only",
          "set secure_aggregation.enabled in federation.toml, or secure_aggregation.required = false here");
    return {};
  }
  if (!config_.secure_sums)
    return fail(ErrorCode::refused, "secure aggregation", "is on, and this client knows no root key",
                "set secure_aggregation.root in client.toml to the operator's");
  const auto setup = messages::sum_setup(config_.federation, task);
  HANSA_TRY_VOID(secure_aggregation::check(setup));
  if (setup.parameters() != task.model_bytes / sizeof(float))
    return fail(ErrorCode::protocol, "secure aggregation", "has segments that are not the model's");
  return secure_aggregation::check(setup, config_.secure_sums->policy);
}

// For who looks for a fault: what is said, and of which sum; no secret.
void Agent::say_of_sum(const std::string& what) {
  const auto& setup = sum_->machine.setup();
  log(Log::Level::debug,
      "round " + std::to_string(setup.round.value) + ", sum " + sum_->setup.brief() + ": " + what);
}

bool Agent::is_of_sum(TaskId task, const Digest& setup) const {
  return sum_ && is_current(task) && sum_->task == task && sum_->setup == setup;
}

void Agent::leave_sum(const Error& error) {
  const TaskId task = sum_ ? sum_->task : task_->task().task;
  sum_.reset();
  log(Log::Level::error, "left the secure sum: " + error.text());
  say(messages::Decline{task, error.text()});
  apply_to_task(round::CancelArrived{});
}

// Begins the task's sum, or says again what the aggregator may have missed.
void Agent::join_sum(const messages::TrainTask& task) {
  if (!task.secure) return;
  auto setup = messages::sum_setup(config_.federation, task);
  const Digest digest = setup.digest();
  if (!sum_ || sum_->setup != digest) {
    apply_to_task(round::UpdateWithdrawn{});
    sum_.reset();
    auto machine = secure_aggregation::ClientSum::begin(
        std::move(setup), config_.secure_sums->policy,
        {welcome_.client, config_.secure_sums->key.get(), config_.secure_sums->root});
    if (!machine) return leave_sum(machine.error());
    sum_.emplace(Sum{task.task, digest, std::move(*machine), {}, std::nullopt, false});
  }
  say_of_sum("sends its keys");
  say(messages::KeyAdvert{task.task, digest, sum_->machine.advert()});
  if (sum_->shares) say(*sum_->shares);
}

void Agent::on_roster(const messages::KeyRoster& m, std::span<const std::byte> bulk) {
  if (!is_of_sum(m.task, m.setup)) return;
  const Digest roster = sha256(bulk);
  if (!sum_->shares) {
    auto shares = sum_->machine.on_roster(bulk);
    if (!shares) return leave_sum(shares.error());
    sum_->roster = roster;
    sum_->shares = messages::EncryptedShares{m.task, m.setup, std::move(*shares)};
  } else if (sum_->roster != roster) {
    return leave_sum(Error{ErrorCode::refused, "secure aggregation", "shows two rosters of one sum", {}});
  }
  say_of_sum("sends its shares");
  say(*sum_->shares);
}

void Agent::on_delivery(const messages::ShareDelivery& m) {
  // What is delivered a second time changes nothing.
  if (!is_of_sum(m.task, m.setup) || sum_->machine.can_mask() || sum_->machine.answered()) return;
  const std::size_t neighbours = sum_->shares ? sum_->shares->shares.size() : 0;
  auto sharers = secure_aggregation::Subset::of(neighbours, m.sharers);
  if (!sharers) return leave_sum(sharers.error());
  if (auto done = sum_->machine.on_delivery({std::move(*sharers), m.shares}); !done)
    return leave_sum(done.error());
  say_of_sum("has its neighbours' shares");
  mask_if_ready();
}

void Agent::on_training_ended(const TrainingEnded& event) {
  if (!task_ || task_->task().task != event.task) return;
  if (!event.outcome) {
    log(Log::Level::error, "training failed: " + event.outcome.error().text());
    sum_.reset();
    apply_to_task(round::TrainingFailed{event.outcome.error().text()});
    return;
  }
  if (!task_->task().secure) {
    apply_to_task(round::TrainingDone{*event.outcome});
    return;
  }
  if (task_->state() != round::TaskState::training) return;
  trained_ = *event.outcome;
  mask_if_ready();
}

void Agent::mask_if_ready() {
  if (!sum_ || sum_->masking || !trained_ || !sum_->machine.can_mask() ||
      task_->state() != round::TaskState::training)
    return;
  auto terms = sum_->machine.mask_terms();
  if (!terms) return leave_sum(terms.error());
  sum_->masking = true;
  effects_->emplace_back(MaskUpdate{sum_->task, sum_->machine.setup(), std::move(*terms),
                                    sum_->machine.rounding_seed(), trained_->examples, trained_->metrics});
}

void Agent::on_masked(const UpdateMasked& event) {
  if (!is_of_sum(event.task, event.setup) || !trained_) return;
  // Of the training itself only the time it took travels open.
  messages::Offer offer;
  offer.task = event.task;
  offer.update = event.update;
  offer.bytes = event.bytes;
  offer.train_seconds = trained_->train_seconds;
  offer.setup = event.setup;
  say_of_sum("has masked its update");
  apply_to_task(round::TrainingDone{offer});
}

// With two sums of one round's updates, of which one has a client less, an aggregator would know that client's. One that
// is trusted to follow the protocol repeats a round only if nothing came of it.
Result<void> Agent::check_repeated(const secure_aggregation::Subset& survivors) const {
  const auto& setup = sum_->machine.setup();
  if (setup.assumptions.threat_model != secure_aggregation::ThreatModel::active || !unmasked_ ||
      unmasked_->round != setup.round || unmasked_->model != setup.model ||
      unmasked_->survivors == sum_->machine.names_of(survivors))
    return {};
  return fail(ErrorCode::refused, "secure aggregation",
              "of round " + std::to_string(setup.round.value) + " was unmasked for other survivors already");
}

void Agent::on_survivors(const messages::SurvivorSet& m) {
  if (!is_of_sum(m.task, m.setup)) return;
  auto survivors = secure_aggregation::Subset::of(sum_->machine.clients(), m.survivors);
  if (!survivors) return leave_sum(survivors.error());
  if (auto first = check_repeated(*survivors); !first) return leave_sum(first.error());
  auto signature = sum_->machine.on_survivors(*survivors);
  if (!signature) return leave_sum(signature.error());
  say(messages::SurvivorSignature{m.task, m.setup, *signature});
}

void Agent::on_unmask(const messages::UnmaskRequest& m) {
  if (!is_of_sum(m.task, m.setup)) return;
  auto survivors = secure_aggregation::Subset::of(sum_->machine.clients(), m.survivors);
  if (!survivors) return leave_sum(survivors.error());
  if (auto first = check_repeated(*survivors); !first) return leave_sum(first.error());
  auto answer = sum_->machine.on_unmask({*survivors, m.signatures});
  if (!answer) return leave_sum(answer.error());
  const auto& setup = sum_->machine.setup();
  unmasked_ = Unmasked{setup.round, setup.model, sum_->machine.names_of(*survivors)};
  messages::UnmaskShares shares{m.task, m.setup, {}};
  for (const Secret32& share : answer->shares) {
    auto& to = shares.shares.emplace_back();
    std::copy(share.bytes().begin(), share.bytes().end(), to.begin());
  }
  say_of_sum("tells the shares that unmask " + std::to_string(survivors->count()) + " clients' sum");
  say(std::move(shares));
}

}  // namespace hansa::client
