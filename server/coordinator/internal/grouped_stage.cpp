#include "server/coordinator/internal/grouped_stage.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "server/coordinator/internal/blame.h"
#include "server/coordinator/internal/committed_round.h"
#include "server/coordinator/internal/common_task.h"
#include "server/coordinator/internal/concluded.h"
#include "server/coordinator/internal/gathering.h"
#include "server/coordinator/internal/staleness_weight.h"
#include "server/selection/quorum.h"

namespace hansa::server {

GroupedStage::GroupedStage(Shared& shared, Turn& turn) : Stage(shared, turn.now), members_(shared) {
  served_.add(shared.standing.published);
  begin_model(turn);
}

void GroupedStage::begin_model(Turn& turn) {
  shared_.round_started = shared_.time_of_day(turn.now);
  turn.effects.emplace_back(RoundStarted{RoundId(shared_.standing.last_committed.value + 1),
                                         static_cast<std::uint32_t>(shared_.eligible(turn.now).size())});
}

Group* GroupedStage::group_of(std::string_view client) const {
  for (const auto& group : groups_)
    if (group->has(client)) return group.get();
  for (const auto& group : opened_)
    if (group->has(client)) return group.get();
  return nullptr;
}

Reply GroupedStage::on_pull(const std::string& client, const messages::Pull& pull, Turn& turn) {
  Group* group = group_of(client);
  if (group == nullptr) return Stage::on_pull(client, pull, turn);
  const bool is_of_model = input_blob_bytes(shared_.config, *group->model(), pull.blob) > 0;
  if (is_of_model && group->state() == Group::State::working && !served_.has(group->model())) {
    // It came back too late for this model.
    group->leave_without_model(client);
    return Stage::on_pull(client, pull, turn);
  }
  return group->stage().on_pull(client, pull, turn);
}

Reply GroupedStage::on_offer(const std::string& client, const messages::Offer& offer, Turn& turn) {
  Group* group = group_of(client);
  return group == nullptr ? Stage::on_offer(client, offer, turn)
                          : group->stage().on_offer(client, offer, turn);
}

Reply GroupedStage::on_chunk(const std::string& client, const messages::UpdateChunk& chunk,
                             std::uint64_t bulk_bytes, Turn& turn) {
  Group* group = group_of(client);
  return group == nullptr ? Reply(Verdict::discarded)
                          : group->stage().on_chunk(client, chunk, bulk_bytes, turn);
}

Reply GroupedStage::on_decline(const std::string& client, const messages::Decline& decline, Turn& turn) {
  Group* group = group_of(client);
  return group == nullptr ? Reply(Verdict::discarded) : group->stage().on_decline(client, decline, turn);
}

Reply GroupedStage::on_advert(const std::string& client, const messages::KeyAdvert& advert, Turn& turn) {
  Group* group = group_of(client);
  return group == nullptr ? Reply(Verdict::discarded) : group->stage().on_advert(client, advert, turn);
}

Reply GroupedStage::on_shares(const std::string& client, const messages::EncryptedShares& shares,
                              Turn& turn) {
  Group* group = group_of(client);
  return group == nullptr ? Reply(Verdict::discarded) : group->stage().on_shares(client, shares, turn);
}

Reply GroupedStage::on_signature(const std::string& client, const messages::SurvivorSignature& signature,
                                 Turn& turn) {
  Group* group = group_of(client);
  return group == nullptr ? Reply(Verdict::discarded) : group->stage().on_signature(client, signature, turn);
}

Reply GroupedStage::on_unmask_shares(const std::string& client, const messages::UnmaskShares& shares,
                                     Turn& turn) {
  Group* group = group_of(client);
  return group == nullptr ? Reply(Verdict::discarded) : group->stage().on_unmask_shares(client, shares, turn);
}

void GroupedStage::on_current_task(const std::string& client, TaskId current, Turn& turn) {
  if (Group* group = group_of(client)) group->stage().on_current_task(client, current, turn);
}

void GroupedStage::on_session_opened(const SessionOpened& opened, Turn& turn) {
  look_for_clients_ = true;
  if (Group* group = group_of(opened.client)) group->stage().on_session_opened(opened, turn);
}

void GroupedStage::on_session_ended(const std::string& client, Turn& turn) {
  look_for_clients_ = true;
  if (Group* group = group_of(client)) group->stage().on_session_ended(client, turn);
}

void GroupedStage::on_left(const std::string& client, Turn& turn) {
  if (Group* group = group_of(client)) group->stage().on_left(client, turn);
}

void GroupedStage::on_removed(const std::string& client, const std::string& why, Turn& turn) {
  if (Group* group = group_of(client)) group->stage().on_removed(client, why, turn);
}

Verdict GroupedStage::on_checked(const UpdateChecked& event, Turn& turn) {
  Group* group = group_of(event.client);
  return group == nullptr ? Verdict::discarded : group->stage().on_checked(event, turn);
}

Verdict GroupedStage::on_masks_opened(const MasksOpened& event, Turn& turn) {
  for (const auto& group : groups_)
    if (group->stage().on_masks_opened(event, turn) == Verdict::accepted) return Verdict::accepted;
  return Verdict::discarded;
}

Verdict GroupedStage::on_committed(const RoundCommitted& event, Turn& turn) {
  if (!commit_ || commit_->is_done || event.round != commit_->record.round) return Verdict::discarded;
  commit_->is_done = true;
  Group& group = *commit_->group;
  adopt(shared_, event);
  served_.add(event.published);
  next_group_ = 0;
  failures_ = 0;
  settle_committed(shared_, group.round(), group.exchange().receipt(), commit_->record, turn);
  group.exchange().end(group.round(), turn);
  return Verdict::accepted;
}

Verdict GroupedStage::on_sum_refused(const SumRefused& event, Turn& turn) {
  if (!commit_ || commit_->is_done || event.round != commit_->record.round) return Verdict::discarded;
  commit_->is_done = true;
  Group& group = *commit_->group;
  served_.add(shared_.standing.published);
  shared_.exchanges->on_sum_refused();
  const Remedy remedy =
      search_among(shared_, group.round().counted_names(), turn.now - group.round().began(), turn);
  group.refuse(event.reason, remedy, turn);
  return Verdict::accepted;
}

void GroupedStage::on_tick(Turn& turn) {
  look_for_clients_ = true;
  shared_.uploads.grant_waiting(turn);
  for (const auto& group : groups_) group->stage().on_tick(turn);
}

std::unique_ptr<Stage> GroupedStage::next(Turn& turn) {
  if (commit_ && commit_->is_done)
    if (auto next = end_commit(turn)) return next;
  if (stop_asked_ && !commit_) return stopped(turn);
  advance_groups(turn);
  if (!commit_)
    if (auto end = end_failed(turn)) return end;
  if (!commit_ && !opened_.empty()) begin_commit(turn);
  if (!commit_ && std::exchange(look_for_clients_, false))
    if (auto end = form_groups(turn)) return end;
  shared_.uploads.grant_waiting(turn);
  return nullptr;
}

void GroupedStage::advance_groups(Turn& turn) {
  std::vector<std::unique_ptr<Group>> working;
  for (auto& group : std::exchange(groups_, {})) {
    group->advance(turn);
    switch (group->state()) {
      case Group::State::working: working.push_back(std::move(group)); break;
      case Group::State::opened: opened_.push_back(std::move(group)); break;
      case Group::State::failed: failed_.push_back(std::move(group)); break;
    }
  }
  groups_ = std::move(working);
}

std::unique_ptr<Stage> GroupedStage::end_failed(Turn& turn) {
  for (; !failed_.empty(); failed_.pop_front())
    if (auto end = end_failed(*failed_.front(), turn)) return end;
  return nullptr;
}

std::unique_ptr<Stage> GroupedStage::end_failed(const Group& group, Turn& turn) {
  ++failures_;
  look_for_clients_ = true;
  auto end = note_abandoned(shared_, group.work().round, group.work().opened + 1, group.failure(), turn);
  if (group.failure().remedy != Remedy::new_data) pause(group.by_readiness(), turn);
  members_.append(group.by_readiness(), turn.now);
  return end;
}

void GroupedStage::pause(const std::vector<std::string>& clients, Turn& turn) {
  members_.pause(clients, turn.now + retry_pause(failures_, shared_.attempts_in_vain));
}

std::uint32_t GroupedStage::staleness(const Group& group) const {
  return shared_.standing.last_committed.value + 1 - group.work().round.value;
}

void GroupedStage::begin_commit(Turn& turn) {
  Commit& commit = commit_.emplace();
  commit.group = std::move(opened_.front());
  opened_.pop_front();
  const Group& group = *commit.group;
  CommitRound effect = commit.group->take_commit();
  const std::uint32_t stale = staleness(group);
  const std::uint64_t weight = stale_weight(group_weight, stale);
  effect.opening->staleness = stale;
  effect.opening->weight = static_cast<double>(weight) / static_cast<double>(group_weight);
  effect.record.round = RoundId(shared_.standing.last_committed.value + 1);
  effect.record.base = shared_.standing.model;
  const std::vector<std::string> counted = group.round().counted_names();
  for (const std::string& client : group.by_readiness())
    if (std::ranges::binary_search(counted, client))
      effect.record.arrivals.push_back(
          {client, RoundId(group.work().round.value - 1), group.work().opened, stale, weight});
  commit.record = effect.record;
  retire_models(turn);
  effect.fetched = served_.names();
  turn.effects.emplace_back(std::move(effect));
}

template <class Groups, class Why>
void GroupedStage::cancel_if(Groups& groups, Turn& turn, const Why& why) {
  std::erase_if(groups, [&](const std::unique_ptr<Group>& group) {
    const std::string reason = why(*group);
    if (reason.empty()) return false;
    if (!std::exchange(dropped_one_, true))
      turn.warn("a group of " + std::to_string(group->round().participants().size()) +
                    " clients is dropped: " + reason + "; this is reported once",
                LogEvent::round_abandoned);
    group->cancel(reason, turn);
    members_.append(group->by_readiness(), turn.now);
    return true;
  });
}

void GroupedStage::retire_models(Turn& turn) {
  const std::uint32_t most = shared_.config.settings.cohort.buffered.staleness_max;
  const auto fetches = [&](const auto& group) {
    // As it will be after the commit.
    return staleness(*group) + 1 <= most && group->is_fetching(shared_.config.process.stall, turn.now);
  };
  served_.retire([&](const ServedModels::Model& model) {
    return std::ranges::any_of(groups_,
                               [&](const auto& group) { return group->is_of(model) && fetches(group); });
  });
  cancel_if(groups_, turn, [&](const Group& group) -> std::string {
    if (served_.has(group.model()) || !group.is_fetching(shared_.config.process.stall, turn.now)) return {};
    return "the model of its group is not served any more";
  });
}

std::unique_ptr<Stage> GroupedStage::end_commit(Turn& turn) {
  const std::unique_ptr<Group> group = std::move(commit_->group);
  commit_.reset();
  look_for_clients_ = true;
  // After the last round the run is finished, not stopped.
  if (stop_asked_ && !shared_.is_over()) return stopped(turn);
  if (group->state() != Group::State::failed) members_.append(group->by_readiness(), turn.now);
  else if (auto end = end_failed(*group, turn)) return end;
  if (shared_.all_rounds_done()) {
    cancel_all("all rounds are done", turn);
    return std::make_unique<Gathering>(shared_, 1, turn.now, turn);
  }
  cancel_stale_groups(turn);
  begin_model(turn);
  return nullptr;
}

void GroupedStage::cancel_stale_groups(Turn& turn) {
  const std::uint32_t most = shared_.config.settings.cohort.buffered.staleness_max;
  const auto why = [&](const Group& group) -> std::string {
    const std::uint32_t stale = staleness(group);
    if (stale <= most) return {};
    return "its group works on a model that is " + std::to_string(stale) +
           " models old, and cohort.buffered.staleness_max is " + std::to_string(most);
  };
  cancel_if(groups_, turn, why);
  cancel_if(opened_, turn, why);
}

void GroupedStage::cancel_all(const std::string& reason, Turn& turn) {
  for (const auto& group : groups_) group->cancel(reason, turn);
  for (const auto& group : opened_) group->cancel(reason, turn);
  groups_.clear();
  opened_.clear();
}

std::vector<std::string> GroupedStage::free_clients(const std::vector<std::string>& eligible,
                                                    Instant now) const {
  const auto rests = [&](const std::string& client) { return shared_.reliability.rests(client, now); };
  // Those that are left out for their faults are asked only if too few would remain.
  const auto others = static_cast<std::size_t>(
      std::ranges::count_if(eligible, [&](const std::string& client) { return !rests(client); }));
  const bool without_resting = others >= shared_.config.settings.cohort.clients_min;
  std::vector<std::string> out;
  std::ranges::copy_if(eligible, std::back_inserter(out), [&](const std::string& client) {
    return group_of(client) == nullptr && !(without_resting && rests(client));
  });
  return out;
}

std::unique_ptr<Stage> GroupedStage::form_groups(Turn& turn) {
  const CohortConfig& cohort = shared_.config.settings.cohort;
  const auto eligible = shared_.eligible(turn.now);
  if (eligible.size() < cohort.clients_min) {
    if (!groups_.empty()) return nullptr;
    if (shared_.is_over())
      return std::make_unique<Concluded>(shared_, Finish{Finish::Why::all_rounds, shared_.why_done()}, turn);
    if (!short_since_) short_since_ = turn.now;
    return wait_.check(shared_, eligible.size(), *short_since_, turn);
  }
  short_since_.reset();
  for (const std::string& client : shared_.reliability.take_returned(turn.now))
    turn.inform_about(client, "returned", LogEvent::client_returned,
                      client + " may take part in cohorts again");
  members_.update(free_clients(eligible, turn.now), turn.now);
  const std::size_t groups_max = cohort.buffered.concurrency == 0
                                     ? std::numeric_limits<std::size_t>::max()
                                     : cohort.buffered.concurrency / cohort.buffered.updates;
  while (groups_.size() < groups_max) {
    const auto members = members_.take({next_sum_, groups_.empty(), turn.now});
    if (members.empty()) return nullptr;
    if (auto end = form(members, turn)) return end;
  }
  return nullptr;
}

std::unique_ptr<Stage> GroupedStage::form(const std::vector<std::string>& members, Turn& turn) {
  const CohortConfig& cohort = shared_.config.settings.cohort;
  const auto size = static_cast<std::uint32_t>(members.size());
  CohortStart start;
  start.work = {RoundId(shared_.standing.last_committed.value + 1), next_group_++};
  start.attempt = start.work.opened + 1;
  start.sum = next_sum_++;
  start.model = served_.newest();
  // A client measures a model once, because two sums of its measurements could show those of few clients.
  start.measure = start.work.opened == 0 ? shared_.measure() : Measure::no;
  const std::uint32_t quorum =
      std::max(quorum_of(cohort.quorum, size), std::min(shared_.exchanges->updates_min(size), size));
  auto begun = round::Round::create(start.work.round, {quorum, turn.now + cohort.deadline}, members)
                   .and_then([&](round::Round round) {
                     return make_cohort_round(shared_, members, std::move(round), start, turn);
                   });
  if (!begun) {
    ++failures_;
    pause(members, turn);
    return note_abandoned(shared_, start.work.round, start.attempt,
                          {AbandonCause::cohort, begun.error().text()}, turn);
  }
  groups_.push_back(std::make_unique<Group>(shared_, std::move(*begun), start, turn));
  return nullptr;
}

Instant GroupedStage::next_tick(Instant now) const {
  Instant next = shared_.uploads.next_tick();
  for (const auto& group : groups_) next = std::min(next, group->stage().next_tick(now));
  return next;
}

void GroupedStage::fill(Progress& progress) const {
  std::map<std::string, round::Member, std::less<>> members;
  std::string exchanges;
  const auto add = [&](const Group& group) {
    Progress part;
    group.stage().fill(part);
    for (round::Member& member : part.members) members[member.client] = std::move(member);
    std::ranges::move(part.uploads, std::back_inserter(progress.uploads));
    if (!part.exchange.empty()) exchanges += (exchanges.empty() ? ": " : ", ") + part.exchange;
  };
  for (const auto& group : groups_) add(*group);
  for (auto& [client, member] : members) progress.members.push_back(std::move(member));
  progress.round = RoundId(shared_.standing.last_committed.value + 1);
  progress.exchange =
      std::to_string(groups_.size()) + (groups_.size() == 1 ? " group" : " groups") + exchanges;
  if (commit_) progress.exchange += "; a model is made of a sum";
}

}  // namespace hansa::server
