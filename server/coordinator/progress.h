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
  std::vector<std::string> missing;  // gathering: expected and not connected
  std::vector<std::string> left_out;  // of cohorts, for their faults, with the time that is left
  Duration waited{};  // since the phase began
};

}  // namespace hansa::server
