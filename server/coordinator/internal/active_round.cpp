#include "server/coordinator/internal/active_round.h"

#include <algorithm>

namespace hansa::server {

Participant* ActiveRound::find(std::string_view client) {
  const auto found = std::ranges::lower_bound(participants_, client, {}, &Participant::client);
  return found == participants_.end() || found->client != client ? nullptr : &*found;
}

std::vector<std::string> ActiveRound::names() const {
  std::vector<std::string> out;
  for (const Participant& p : participants_) out.push_back(p.client);
  return out;
}

std::vector<std::string> ActiveRound::counted_names() const {
  std::vector<std::string> out;
  for (const Participant& p : participants_)
    if (state(p) == round::MemberState::counted) out.push_back(p.client);
  return out;
}

bool ActiveRound::is_expected(const Participant& participant) const {
  const round::MemberState s = state(participant);
  return s == round::MemberState::pending || s == round::MemberState::absent || s == round::MemberState::left;
}

void ActiveRound::apply(const round::Event& event, Instant now) {
  std::vector<round::Effect> effects;
  (void)round_.apply(event, now, effects);
  for (const auto& effect : effects) {
    if (std::holds_alternative<round::Seal>(effect)) is_sealed_ = true;
    if (const auto* failed = std::get_if<round::Abandon>(&effect)) abandon(failed->reason);
  }
}

void ActiveRound::abandon(std::string reason) {
  if (!abandoned_) abandoned_ = std::move(reason);
}

}  // namespace hansa::server
