// Who let a round wait or fail, and what follows from it.
//
// A client is left out of cohorts (server/selection/reliability.h) only if enough others remain for rounds to go on
// without it. A fault that most of a federation has in common, such as a model that does not fit the data, therefore
// leaves nobody out.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "server/coordinator/internal/active_round.h"
#include "server/coordinator/internal/stage.h"

namespace hansa::server {

struct Fault {
  std::string client;
  std::string what;
};
// `cost`: how long the round waited for nothing, or how long the attempt took that failed.
enum class Remedy : std::uint8_t { some_left_out, none };
Remedy blame(Shared& shared, std::vector<Fault> faults, Duration cost, Turn& turn);

// The faults in a round that closes with its quorum: members for which it waited until the deadline, and those whose
// update was refused.
[[nodiscard]] std::vector<Fault> faults_of_sealed(const ActiveRound& round, Instant now);
// The faults in an attempt that failed for want of a quorum.
[[nodiscard]] std::vector<Fault> faults_of_abandoned(const ActiveRound& round, Instant now);

}  // namespace hansa::server
