// The state of a coordinator, for displays.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/identifiers.h"
#include "common/time.h"
#include "protocols/round/round.h"

namespace hansa::server {

enum class Phase : std::uint8_t { gathering, in_round, unmasking, committing, finished };

struct Progress {
  Phase phase = Phase::gathering;
  RoundId round;  // the current one, or the last
  std::uint32_t rounds = 0;
  std::uint32_t attempt = 1;
  std::uint32_t connected = 0;
  std::vector<round::Member> members;  // of the current round
  std::string exchange;  // what secure aggregation waits for: "keys of 3 of 10"; else empty
  std::vector<std::string> missing;  // gathering: admitted clients that cannot take part, and why
  std::string
      waiting_for;  // gathering with too few clients: what for, "new data: 1 of 3 clients has some, ..."
  std::vector<std::string>
      left_out;  // of cohorts: set aside, with the reason; for faults, with the time left
  Instant now;
  Duration waited{};  // since the phase began
};

}  // namespace hansa::server
