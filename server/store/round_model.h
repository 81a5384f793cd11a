// Finds the model and the state vectors after a round that was named as RUN@ROUND.
#pragma once
#include <optional>
#include <vector>

#include "server/store/run.h"

namespace hansa::server {

struct RoundModel {
  RoundId round;
  Digest model;
  std::vector<StateVector> state;
};

// Round 0 is the initial model; no round: the last committed one. Fails (usage) if the run has not begun, the round is
// not committed, or the run's retention has removed its model; the hint names the rounds that are held.
[[nodiscard]] Result<RoundModel> find_round_model(Run& run, std::optional<RoundId> round);

}  // namespace hansa::server
