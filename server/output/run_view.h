// All that a run folder says about its rounds, read once: for commands that show a run, also while it runs.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/column_statistics.h"
#include "common/error.h"
#include "server/divergence/best_round.h"
#include "server/store/run.h"

namespace hansa::server {

struct RunView {
  std::filesystem::path folder;
  RunIdentity identity;
  std::vector<RoundRecord> rounds;  // in order, from round 1
  std::map<RoundId, Metrics> evaluations;  // round 0 is the initial model
  std::optional<RunEnd> end;
  std::vector<AbandonedAttempt> abandoned;  // the last abandoned_attempts_max
  std::optional<ColumnStatistics> statistics;  // of the clients' data
  std::vector<Run::Configuration> configurations;  // in the order of their rounds; the first is for round 0
};
// Fails (usage) if the run has not begun, (storage) if the folder is no run or is damaged.
[[nodiscard]] Result<RunView> read_run_view(const std::filesystem::path& folder);

// Empty: the model after this round was not evaluated.
[[nodiscard]] const Metrics* find_evaluation(const RunView& view, RoundId round);

// The best round by the accuracy of the evaluations, or else as best_round.h says. The aggregator's log has it by
// [store] metric.
[[nodiscard]] std::optional<BestRound> best_of(const RunView& view);

// What all participants of a round had together.
struct RoundTotals {
  std::size_t counted = 0;
  std::uint64_t bytes_up = 0;  // received by the aggregator; at most 2^64 - 1
  std::uint64_t bytes_down = 0;
};
[[nodiscard]] RoundTotals totals_of(const RoundRecord& round);

// The first clients whose updates are not in the sum and why, and how many more:
// "client-03: no answer; client-07: rejected (value out of range); and 2 more". Reasons come from clients: not escaped.
[[nodiscard]] std::string lost_text(const RoundRecord& round, std::size_t named_max = 4);
// "no answer"
[[nodiscard]] std::string outcome_text(Outcome outcome);

}  // namespace hansa::server
