// Who let a round wait or fail, and what follows from it.
//
// A client is left out of cohorts (server/selection/reliability.h) only if enough others remain for rounds to go on
// without it. A fault that most of a federation has in common, such as a model that does not fit the data, therefore
// leaves nobody out.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "server/coordinator/internal/active_round.h"
#include "server/coordinator/internal/stage.h"

namespace hansa::server {

// The longest pause before the next attempt.
inline constexpr Duration retry_after_max = std::chrono::seconds(5);
inline constexpr Duration retry_in_vain_max = std::chrono::minutes(1);  // after many attempts in vain

// Whether the next attempt can be better than the last one.
enum class Remedy : std::uint8_t {
  another_cohort,
  new_data,  // the attempt failed only because clients have no new data: rounds wait until they have
  none,
};

// Why an attempt at a round came to nothing.
struct AttemptFailure {
  AbandonCause cause = AbandonCause::unknown;
  std::string reason;
  Remedy remedy = Remedy::none;
};

// `cost`: how long the round waited for nothing, or how long the attempt took that failed.
Remedy blame(Shared& shared, std::vector<Fault> faults, Duration cost, Turn& turn);

// Draws the conclusions from the contradictions of an attempt: clients that contradict more others than an honest one
// can are blamed, and the others are kept apart from now on.
Remedy settle_contradictions(Shared& shared, const ActiveRound& round, std::size_t most, Turn& turn);

// A sum was refused or could not be opened, and nobody is named: these clients, sorted, contain the culprit.
Remedy search_among(Shared& shared, const std::vector<std::string>& clients, Duration cost, Turn& turn);
// The search has found a culprit, if there is one.
Remedy blame_culprit(Shared& shared, const std::optional<std::string>& culprit, Duration cost, Turn& turn);

// The faults in a round that closes with its quorum: members for which it waited until the deadline, and those whose
// update was refused.
[[nodiscard]] std::vector<Fault> faults_of_sealed(const ActiveRound& round, Instant now);
// The faults in an attempt that failed, for want of a quorum or because of an update that was accused.
// Clients that were set aside have none.
[[nodiscard]] std::vector<Fault> faults_of_abandoned(const ActiveRound& round, Instant now);

// A client declined a task for a reason of its own, after `cost`: it is set aside (server/selection/set_aside.h).
SetAside::Why set_aside(Shared& shared, const std::string& client, const messages::Report& report,
                        Duration cost, Turn& turn);
// Whether the next attempt at a round is better without the members that were set aside in this one.
[[nodiscard]] Remedy remedy_of_set_aside(const Shared& shared, const ActiveRound& round, Instant now);

}  // namespace hansa::server
