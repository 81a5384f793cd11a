// A run for tests of what is made from it: rounds with every outcome, evaluations, and what clients held out.
#pragma once
#include <cstdint>
#include <string>

#include "server/output/run_view.h"
#include "tests/server_parts/store_fixtures.h"

namespace hansa::server {

// Round `round` starts at minute `round` of an hour, with three clients that count. From round 2 on they measured the model
// before it.
inline RoundRecord learning_round(std::uint32_t round) {
  RoundRecord out = record_of(round, Digest{}, Digest{});
  out.secure.reset();
  out.started_at = "2026-01-02T03:" + std::string(round < 10 ? "0" : "") + std::to_string(round) + ":00Z";
  out.seconds = 30.5;
  out.update_norm = 0.5;
  out.participations[1].bytes_down = out.participations[0].bytes_down = 1000;
  for (Participation& p : out.participations) {
    p.metrics = {{"loss", 100.0 / round, 100}, {"accuracy", 50, 100}};
    if (round > 1) p.metrics.push_back({"held_out_loss", 20.0 / round, 10});
  }
  return out;
}

inline RunView learning_run(std::uint32_t rounds) {
  RunView out;
  out.folder = "runs/harbour-20260102-030000";
  out.identity = identity_of(model_of(0, 4));
  out.identity.run = "harbour-20260102-030000";
  out.identity.seed = 7;
  for (std::uint32_t round = 1; round <= rounds; ++round) {
    out.rounds.push_back(learning_round(round));
    out.evaluations[RoundId{round}] = {{"loss", 2.0 / round, 1}, {"accuracy", 1.0 - 1.0 / (round + 1), 1}};
  }
  out.evaluations[RoundId{0}] = {{"loss", 4, 1}};
  return out;
}

}  // namespace hansa::server
