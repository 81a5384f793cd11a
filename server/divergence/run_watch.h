// Watches the rounds of a run: warns when it diverges, knows its best round, and says when it has trained enough. One
// thread.
//
// The loss of a round, in training or on held-out examples, is the middle one of its clients' losses, so that no single
// client can cause a warning or the end of a run; with an even number of clients, the lower one of the two in the middle
// for warnings, and the higher one for the best round. Of a secure sum only the mean is known: a single client can cause
// a warning, but it can neither stop nor end the run.
#pragma once
#include <string>
#include <vector>

#include "common/error.h"
#include "server/divergence/best_round.h"
#include "server/divergence/divergence.h"
#include "server/divergence/until.h"
#include "server/store/run.h"

namespace hansa::server {

struct RunWatchConfig {
  DivergenceConfig divergence = {};
  std::string metric = "accuracy";  // by which rounds are compared, where the evaluation has it
  UntilConfig until = {};
  bool has_evaluations = false;  // rounds are evaluated: what clients measure does not end the run
  bool is_measured_on_clients = false;  // on held-out examples: training losses do not end the run
};

class RunWatch {
 public:
  explicit RunWatch(RunWatchConfig config)
      : config_(std::move(config)), divergence_(config_.divergence), best_(config_.metric) {}

  // Reads the rounds that a resumed run has already. Returns what is wrong with its last one. Fails (storage).
  [[nodiscard]] Result<std::vector<std::string>> restore(Run& run);
  // Returns what is wrong with the round; empty: nothing.
  [[nodiscard]] std::vector<std::string> on_committed(const RoundRecord& record);
  void on_evaluated(RoundId round, const Metrics& metrics) { best_.add_evaluation(round, metrics); }
  [[nodiscard]] const std::optional<BestRound>& best() const { return best_.best(); }
  // Whether the last committed round shows that the run diverges beyond what a single client can report.
  [[nodiscard]] bool is_certain() const { return divergence_.is_certain(); }
  // Why no further round is wanted; empty: the run continues.
  [[nodiscard]] std::string reached(UtcSeconds now) const;

 private:
  RunWatchConfig config_;
  Divergence divergence_;
  BestRounds best_;
  std::optional<UtcSeconds> first_round_;  // its start
};

// "round 22 diverges: ...; ..."
[[nodiscard]] std::string divergence_text(RoundId round, const std::vector<std::string>& problems);

// The one or two training losses in the middle of those that counted clients report, or the mean of a secure sum twice.
struct MiddleLosses {
  double low = 0;
  double high = 0;
};
// Empty if no client reports one.
[[nodiscard]] std::optional<MiddleLosses> middle_losses(const RoundRecord& record);
// Compares the round by that loss.
void add_training(BestRounds& best, const RoundRecord& record);
// Compares the round before it by what the clients measured of its model.
void add_held_out(BestRounds& best, const RoundRecord& record);

}  // namespace hansa::server
