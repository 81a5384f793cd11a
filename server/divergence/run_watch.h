// Watches the rounds of a run: warns when it diverges, and knows its best round. One thread.
//
// The training loss of a round is the median of its clients' losses, so that no single client can cause a warning or a
// stop; of a secure sum, where single losses are not known, it is the mean.
#pragma once
#include <string>
#include <vector>

#include "common/error.h"
#include "server/divergence/best_round.h"
#include "server/divergence/divergence.h"
#include "server/store/run.h"

namespace hansa::server {

class RunWatch {
 public:
  // metric: by which rounds are compared, where the evaluation has it.
  RunWatch(const DivergenceConfig& config, std::string metric)
      : divergence_(config), best_(std::move(metric)) {}

  // Reads the rounds that a resumed run has already. Returns what is wrong with its last one. Fails (storage).
  [[nodiscard]] Result<std::vector<std::string>> restore(Run& run);
  // Returns what is wrong with the round; empty: nothing.
  [[nodiscard]] std::vector<std::string> on_committed(const RoundRecord& record);
  void on_evaluated(RoundId round, const Metrics& metrics) { best_.add_evaluation(round, metrics); }
  [[nodiscard]] const std::optional<BestRound>& best() const { return best_.best(); }

 private:
  Divergence divergence_;
  BestRounds best_;
};

// "round 22 diverges: ...; ..."
[[nodiscard]] std::string divergence_text(RoundId round, const std::vector<std::string>& problems);

// The median of the counted clients' training losses, or the mean of a secure sum. Empty if no client reports one.
[[nodiscard]] std::optional<double> typical_loss(const RoundRecord& record);

}  // namespace hansa::server
