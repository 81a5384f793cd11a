#include "server/coordinator/internal/blame.h"

#include <algorithm>
#include <functional>

namespace hansa::server {
namespace {

using round::MemberState;

std::string text_of(Duration duration) {
  const auto tenths = duration / std::chrono::milliseconds(100);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

std::string reason_of(const round::Member& member) {
  switch (member.state) {
    case MemberState::rejected: return "its update was refused: " + member.reason;
    case MemberState::declined: return "it declined: " + member.reason;
    case MemberState::absent: return "it left";
    default: return "no update before the deadline";
  }
}

}  // namespace

Remedy blame(Shared& shared, std::vector<Fault> faults, Duration cost, Turn& turn) {
  const std::vector<std::string> ready = shared.eligible();
  const auto is_ready = [&](const std::string& client) { return std::ranges::binary_search(ready, client); };
  auto remaining = std::ranges::count_if(
      ready, [&](const std::string& client) { return !shared.reliability.rests(client, turn.now); });
  const auto needed = static_cast<std::ptrdiff_t>(shared.config.settings.cohort.clients_min);
  // If not all of them can be left out, those with the most faults are.
  std::ranges::stable_sort(faults, std::greater{},
                           [&](const Fault& fault) { return shared.reliability.faults(fault.client); });
  Remedy remedy = Remedy::none;
  for (const Fault& fault : faults) {
    const bool counts = is_ready(fault.client) && !shared.reliability.rests(fault.client, turn.now);
    if (remaining - (counts ? 1 : 0) < needed) continue;
    if (counts) --remaining;
    const Duration rest = shared.reliability.on_fault(fault.client, cost, turn.now);
    const std::uint32_t faults_so_far = shared.reliability.faults(fault.client);
    turn.warn_about(fault.client, "left out",
                    fault.client + " is left out of cohorts for " + text_of(rest) + ": " + fault.what + " (" +
                        std::to_string(faults_so_far) + (faults_so_far == 1 ? " fault)" : " faults)"));
    remedy = Remedy::some_left_out;
  }
  return remedy;
}

std::vector<Fault> faults_of_sealed(const ActiveRound& round, Instant now) {
  std::vector<Fault> out;
  for (const round::Member& member : round.round().members()) {
    const bool waited = member.state == MemberState::pending && now >= round.round().deadline();
    if (waited || member.state == MemberState::rejected) out.push_back({member.client, reason_of(member)});
  }
  return out;
}

std::vector<Fault> faults_of_abandoned(const ActiveRound& round, Instant now) {
  std::vector<Fault> out;
  for (const round::Member& member : round.round().members()) {
    const bool is_over = member.state == MemberState::rejected || member.state == MemberState::declined ||
                         member.state == MemberState::absent;
    if (is_over || (member.state == MemberState::pending && now >= round.round().deadline()))
      out.push_back({member.client, reason_of(member)});
  }
  return out;
}

}  // namespace hansa::server
