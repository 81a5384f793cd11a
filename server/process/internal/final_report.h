// What the aggregator prints when it ends. Pure: the caller prints it.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/digest.h"
#include "server/divergence/best_round.h"
#include "server/process/progress_display.h"

namespace hansa::server::internal {

struct FinalReport {
  std::string config;  // the path of federation.toml, for commands
  std::string run;  // its name
  std::string run_folder;
  std::uint32_t rounds = 0;  // that the run should have
  RoundId last;  // the last committed round
  Digest model;  // after it
  double seconds = 0;  // since the start
  RunSummary summary;
  std::optional<std::pair<RoundId, Metrics>> evaluated;  // the newest evaluated round
  std::optional<BestRound> best;
  bool best_is_kept = true;  // its model, so that a run can start from it
};

// Lines, the last of which are "final model: ..." and "run folder: ...".
[[nodiscard]] std::vector<std::string> lines_of(const FinalReport& report);
// "hansa-aggregator fashion/federation.toml --from fashion-20260102-030405@17"
[[nodiscard]] std::string command_from(const std::string& config, const std::string& run, RoundId round);

}  // namespace hansa::server::internal
