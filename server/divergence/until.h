// When a run has trained enough before its last round: [schedule.until]. Pure: the time is given.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "common/utc.h"
#include "server/divergence/best_round.h"

namespace hansa::server {

// A run ends when one of these holds.
struct UntilConfig {
  // Of the metric by which rounds are compared: at least this for accuracies, at most this for losses and errors.
  std::optional<double> reaches = {};
  std::uint32_t without_better = 0;  // rounds in a row of which none is the best one; 0: no limit
  std::uint64_t seconds = 0;  // since the start of the first round; 0: no limit
  friend bool operator==(const UntilConfig&, const UntilConfig&) = default;
};

struct UntilFacts {
  std::optional<BestRound> best = {};
  Better better = Better::lower;  // of the best round's metric
  RoundId last_compared = {};  // the newest round that has a value of that metric
  std::optional<UtcSeconds> first_round = {};  // the start of the first committed round; empty: there is none
  UtcSeconds now = {};
};

// Why the run ends, as a sentence without a full stop; empty: it continues.
[[nodiscard]] std::string reached(const UntilConfig& until, const UntilFacts& facts);

}  // namespace hansa::server
