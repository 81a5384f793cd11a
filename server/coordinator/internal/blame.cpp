#include "server/coordinator/internal/blame.h"

#include <algorithm>
#include <functional>

#include "server/coordinator/internal/name_list.h"

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
    case MemberState::absent: return "it lost its connection";
    case MemberState::left: return "it left";
    default: return "no update before the deadline";
  }
}

}  // namespace

Remedy blame(Shared& shared, std::vector<Fault> faults, Duration cost, Turn& turn) {
  // A client that the operator removed, or that lacks what the exchange needs, such as a certificate, is not at fault.
  std::erase_if(faults, [&](const Fault& fault) {
    const Client* client = shared.clients.find(fault.client);
    return shared.removed.contains(fault.client) ||
           (client != nullptr && !shared.exchanges->what_lacks(*client).empty());
  });
  const std::vector<std::string> ready = shared.eligible(turn.now);
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
    if (remaining - (counts ? 1 : 0) < needed) {
      // Otherwise it is gone, and rounds wait anyway.
      if (counts)
        turn.warn_about(fault.client, "not left out", LogEvent::client_at_fault,
                        fault.client +
                            " is at fault and stays in cohorts, because cohort.clients_min is not "
                            "reached without it: " +
                            fault.what);
      continue;
    }
    if (counts) --remaining;
    const Duration rest = shared.reliability.on_fault(fault.client, cost, turn.now);
    const std::uint32_t faults_so_far = shared.reliability.faults(fault.client);
    turn.warn_about(fault.client, "left out", LogEvent::client_left_out,
                    fault.client + " is left out of cohorts for " + text_of(rest) + ": " + fault.what + " (" +
                        std::to_string(faults_so_far) + (faults_so_far == 1 ? " fault)" : " faults)"));
    remedy = Remedy::another_cohort;
  }
  return remedy;
}

Remedy settle_contradictions(Shared& shared, const ActiveRound& round, std::size_t most, Turn& turn) {
  Remedy remedy = Remedy::none;
  Contradictions open = round.contradictions();
  std::vector<Fault> faults;
  for (const std::string& client : open.beyond(most)) {
    faults.push_back({client, "it contradicts " + std::to_string(round.contradictions().count(client)) +
                                  " clients: the shares that it sent or revealed are wrong"});
    open.forget(client);
    shared.contradictions.forget(client);
  }
  if (!faults.empty())
    remedy = blame(shared, std::move(faults), turn.now - round.began() + retry_after_max, turn);
  const bool can_be_apart = shared.eligible(turn.now).size() > shared.config.settings.cohort.clients_min;
  for (const Contradiction& pair : open.all()) {
    if (!shared.contradictions.add(pair)) continue;
    turn.warn_about(pair.one, "contradiction", LogEvent::client_at_fault,
                    pair.one + " and " + pair.other +
                        " contradict each other about shares of secrets: one of them does not follow the "
                        "protocol; they are not in the same cohort again if that can be avoided");
    if (can_be_apart) remedy = Remedy::another_cohort;
  }
  return remedy;
}

Remedy search_among(Shared& shared, const std::vector<std::string>& clients, Duration cost, Turn& turn) {
  if (!shared.search.is_active())
    turn.warn("nobody is named for it: the next attempts leave out some of " + name_list(clients, 8) +
              " to find out");
  const auto finding =
      shared.search.on_refused(clients, shared.mode->cohort_least(shared.config.settings.cohort));
  if (finding.culprit) return blame_culprit(shared, finding.culprit, cost, turn);
  return finding.is_in_vain ? Remedy::none : Remedy::another_cohort;
}

Remedy blame_culprit(Shared& shared, const std::optional<std::string>& culprit, Duration cost, Turn& turn) {
  if (!culprit) return Remedy::none;
  return blame(shared, {{*culprit, "sums with its update are refused, sums without it are not"}},
               cost + retry_after_max, turn);
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
  for (const Participant& participant : round.participants()) {
    const round::Member& member = round.round().members()[participant.index.value];
    if (participant.set_aside) continue;
    // It left because it cannot work with another client: settle_contradictions() says whose fault that is.
    if (member.state == MemberState::declined && round.contradictions().count(member.client) > 0) continue;
    const bool is_over = member.state == MemberState::rejected || member.state == MemberState::declined ||
                         member.state == MemberState::absent || member.state == MemberState::left;
    if (is_over || (member.state == MemberState::pending && now >= round.round().deadline()))
      out.push_back({member.client, reason_of(member)});
  }
  for (const auto& [client, reason] : round.accused()) out.push_back({client, reason});
  return out;
}

SetAside::Why set_aside(Shared& shared, const std::string& client, const messages::Report& report,
                        Duration cost, Turn& turn) {
  if (report.reason.code == ReasonCode::nothing_new) {
    const Client* known = shared.clients.find(client);
    shared.set_aside.on_nothing_new(client, known == nullptr ? 0 : known->new_examples, turn.now);
    turn.inform_about(client, "no new data", LogEvent::client_set_aside,
                      client + " has nothing new to train on; it takes part again when it reports new data");
    return SetAside::Why::no_new_data;
  }
  const std::string reason = report.empty() ? "it gave no reason" : sentence(report);
  const Duration pause = shared.set_aside.on_failed(client, reason, cost, turn.now);
  turn.warn_about(client, "declined", LogEvent::client_set_aside,
                  client + " declined: " + reason + "; it is set aside for " + text_of(pause) +
                      ", or until its data report changes or it is started again");
  return SetAside::Why::task_failed;
}

Remedy remedy_of_set_aside(const Shared& shared, const ActiveRound& round, Instant now) {
  bool all_lack_data = true, some_is_aside = false;
  for (const Participant& participant : round.participants()) {
    const MemberState state = round.state(participant);
    some_is_aside = some_is_aside || participant.set_aside;
    const bool is_lost = state == MemberState::declined || state == MemberState::rejected ||
                         state == MemberState::absent || state == MemberState::left;
    if (is_lost && participant.set_aside != SetAside::Why::no_new_data) all_lack_data = false;
  }
  if (!some_is_aside) return Remedy::none;
  if (all_lack_data && now < round.round().deadline()) return Remedy::new_data;
  return shared.eligible(now).size() >= shared.config.settings.cohort.clients_min ? Remedy::another_cohort
                                                                                  : Remedy::none;
}

}  // namespace hansa::server
