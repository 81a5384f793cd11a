#include "protocols/round/round.h"

#include <algorithm>

namespace hansa::round {

Result<Round> Round::create(RoundId id, const Config& config, const std::vector<std::string>& cohort) {
  if (cohort.empty() || cohort.size() > cohort_max)
    return fail(ErrorCode::quorum, "round " + std::to_string(id.value),
                "has a cohort of " + std::to_string(cohort.size()) + " clients",
                "a cohort has 1 to 100,000 clients");
  if (config.quorum == 0 || config.quorum > cohort.size())
    return fail(ErrorCode::quorum, "round " + std::to_string(id.value),
                "needs a quorum of " + std::to_string(config.quorum) + " of a cohort of " +
                    std::to_string(cohort.size()));
  Round round(id, config);
  round.members_.reserve(cohort.size());
  for (const auto& client : cohort) round.members_.push_back({client, MemberState::pending, {}});
  round.counts_[static_cast<std::size_t>(MemberState::pending)] = static_cast<std::uint32_t>(cohort.size());
  return round;
}

std::uint32_t Round::count(MemberState state) const { return counts_[static_cast<std::size_t>(state)]; }

bool Round::move(MemberIndex member, std::initializer_list<MemberState> from, MemberState to,
                 const std::string& reason) {
  if (state_ != State::training || member.value >= members_.size()) return false;
  Member& m = members_[member.value];
  if (std::find(from.begin(), from.end(), m.state) == from.end()) return false;
  --counts_[static_cast<std::size_t>(m.state)];
  ++counts_[static_cast<std::size_t>(to)];
  m.state = to;
  m.reason = reason;
  return true;
}

Verdict Round::apply(const Event& event, Instant now, std::vector<Effect>& effects) {
  using enum MemberState;
  struct Apply {
    Round& round;
    bool operator()(const UpdateComplete& e) const {
      return round.move(e.member, {pending, absent, left}, verifying, {});
    }
    bool operator()(const UpdateCounted& e) const { return round.move(e.member, {verifying}, counted, {}); }
    bool operator()(const UpdateRejected& e) const {
      return round.move(e.member, {pending, absent, left, verifying}, rejected, e.reason);
    }
    bool operator()(const TaskDeclined& e) const {
      return round.move(e.member, {pending, absent, left}, declined, e.reason);
    }
    bool operator()(const MemberLost& e) const { return round.move(e.member, {pending}, absent, {}); }
    bool operator()(const MemberLeft& e) const { return round.move(e.member, {pending, absent}, left, {}); }
    bool operator()(const MemberReturned& e) const {
      return round.move(e.member, {absent, left}, pending, {});
    }
    bool operator()(const Tick&) const { return round.state_ == State::training; }
    bool operator()(const CommitDone&) const {
      if (round.state_ != State::sealed) return false;
      round.state_ = State::committed;
      return true;
    }
  };
  if (!std::visit(Apply{*this}, event)) return Verdict::discarded;
  close_if_due(now, effects);
  return Verdict::accepted;
}

Instant Round::closes_at() const {
  const bool enough = count(MemberState::counted) >= config_.quorum;
  return enough ? config_.deadline : std::max(config_.deadline, overtime_);
}

void Round::close_if_due(Instant now, std::vector<Effect>& effects) {
  if (state_ != State::training) return;
  const std::uint32_t in_work = count(MemberState::verifying);
  if (in_work > 0) return;  // complete updates are counted before the round closes
  const std::uint32_t done = count(MemberState::counted);
  const std::uint32_t waiting = count(MemberState::pending);
  const std::uint32_t gone = count(MemberState::absent);
  const bool due = now >= closes_at();
  if (done >= config_.quorum) {
    if (waiting > 0 && !due) return;
    state_ = State::sealed;
    effects.emplace_back(Seal{});
    return;
  }
  const bool reachable = done + waiting + gone >= config_.quorum;
  if (reachable && !due) return;
  state_ = State::failed;
  effects.emplace_back(Abandon{std::to_string(done) + " of the " + std::to_string(config_.quorum) +
                               " updates that the quorum needs" +
                               (due ? " at the deadline" : ", and too few clients left")});
}

const char* name(State state) noexcept {
  switch (state) {
    case State::training: return "training";
    case State::sealed: return "sealed";
    case State::committed: return "committed";
    case State::failed: return "failed";
  }
  return "";
}

const char* name(MemberState state) noexcept {
  switch (state) {
    case MemberState::pending: return "pending";
    case MemberState::absent: return "absent";
    case MemberState::left: return "left";
    case MemberState::verifying: return "verifying";
    case MemberState::counted: return "counted";
    case MemberState::declined: return "declined";
    case MemberState::rejected: return "rejected";
  }
  return "";
}

}  // namespace hansa::round
