#include "server/store/internal/retained_rounds.h"

#include <algorithm>
#include <cmath>

namespace hansa::server::internal {

using Keep = Retention::Keep;

HeldRound held_of(const RoundRecord& record) {
  HeldRound out{record.round, {record.model}, record.published, std::nullopt};
  for (const StateVector& state : record.state) out.vectors.push_back(state.vector);
  return out;
}

std::optional<double> RetainedRounds::score_of(const Metrics& metrics) const {
  if (retention_.keep != Keep::best) return std::nullopt;
  return mean_of(metrics, retention_.metric);
}

void RetainedRounds::begin(const RunIdentity& identity) {
  if (keeps_all()) return;
  ++names_[identity.initial_model];
  for (const StateVector& state : identity.initial_state) ++names_[state.vector];
}

void RetainedRounds::name_all_of(const HeldRound& round) {
  for (const Digest& vector : round.vectors) ++names_[vector];
  if (!round.published) return;
  ++names_[round.published->delta];
  if (round.published->vector) ++names_[*round.published->vector];
}

void RetainedRounds::unname(const Digest& digest, std::vector<Digest>& unnamed) {
  const auto found = names_.find(digest);
  if (found == names_.end() || --found->second > 0) return;
  names_.erase(found);
  unnamed.push_back(digest);
}

void RetainedRounds::add(HeldRound round) {
  if (keeps_all()) return;
  last_ = round.round;
  name_all_of(round);
  rounds_.insert_or_assign(round.round, std::move(round));
}

void RetainedRounds::withdraw(RoundId round) {
  const auto found = rounds_.find(round);
  if (found == rounds_.end()) return;
  std::vector<Digest> ignored;
  for (const Digest& vector : found->second.vectors) unname(vector, ignored);
  if (const auto& published = found->second.published) {
    unname(published->delta, ignored);
    if (published->vector) unname(*published->vector, ignored);
  }
  rounds_.erase(found);
  last_ = RoundId{round.value - 1};
}

std::optional<double> RetainedRounds::set_score(RoundId round, std::optional<double> score) {
  const auto found = rounds_.find(round);
  if (found == rounds_.end()) return std::nullopt;
  return std::exchange(found->second.score, score);
}

// The round from whose model, or published vector, a restart begins.
RoundId RetainedRounds::restart_base() const {
  RoundId base = last_;
  for (; base.value > 0; --base.value) {
    const auto found = rounds_.find(base);
    if (found == rounds_.end() || !found->second.published || found->second.published->vector) break;
  }
  return base;
}

// The best of the evaluated rounds, and the rounds after the newest evaluated one, which may still be evaluated.
std::vector<RoundId> RetainedRounds::best() const {
  std::vector<const HeldRound*> scored;
  std::vector<RoundId> out;
  for (auto at = rounds_.rbegin(); at != rounds_.rend(); ++at) {
    const HeldRound& round = at->second;
    if (round.vectors.empty()) continue;
    if (round.score) scored.push_back(&round);
    else if (scored.empty()) out.push_back(round.round);
  }
  // NaN is worse than every number. Of equal rounds the earlier one is better.
  const double sign = better_of(retention_.metric) == Better::higher ? 1 : -1;
  const auto value = [&](const HeldRound* round) {
    return std::isnan(*round->score) ? -std::numeric_limits<double>::infinity() : sign * *round->score;
  };
  std::ranges::sort(scored, [&](const HeldRound* a, const HeldRound* b) {
    return value(a) != value(b) ? value(a) > value(b) : a->round < b->round;
  });
  scored.resize(std::min<std::size_t>(scored.size(), retention_.count));
  for (const HeldRound* round : scored) out.push_back(round->round);
  std::ranges::sort(out);
  return out;
}

Surplus RetainedRounds::surplus() const {
  Surplus out;
  if (keeps_all()) return out;
  const RoundId base = restart_base();
  const std::vector<RoundId> best_rounds = retention_.keep == Keep::best ? best() : std::vector<RoundId>{};
  const auto wanted = [&](const HeldRound& held) {
    if (held.round == last_ || (held.round == base && !held.published)) return true;
    switch (retention_.keep) {
      case Keep::all: return true;
      case Keep::last: return held.round.value + std::uint64_t{retention_.count} > last_.value;
      case Keep::every: return held.round.value % retention_.count == 0;
      case Keep::best: return std::ranges::binary_search(best_rounds, held.round);
    }
    return true;
  };
  for (const auto& [round, held] : rounds_) {
    if (!held.vectors.empty() && !wanted(held)) out.models.push_back(round);
    if (held.published && round < base) out.deltas.push_back(round);
  }
  return out;
}

Unnamed RetainedRounds::remove(const Surplus& surplus) {
  Unnamed out;
  for (const RoundId round : surplus.models) {
    HeldRound& held = rounds_.at(round);
    for (const Digest& vector : held.vectors) unname(vector, out.vectors);
    held.vectors.clear();
  }
  for (const RoundId round : surplus.deltas) {
    HeldRound& held = rounds_.at(round);
    unname(held.published->delta, out.deltas);
    if (held.published->vector) unname(*held.published->vector, out.vectors);
    held.published.reset();
  }
  // With every:N the model of such a round is never removed, so that only its name is needed.
  std::erase_if(rounds_, [&](const auto& entry) {
    const HeldRound& held = entry.second;
    const bool stays =
        retention_.keep == Keep::every && held.round != last_ && held.round.value % retention_.count == 0;
    return !held.published && (held.vectors.empty() || stays);
  });
  return out;
}

}  // namespace hansa::server::internal
