// The best round of a run by one metric: of the aggregator's evaluations; where there are none, of what the clients
// measured on the examples that they hold out; else of the training.
//
// The metric of an evaluation is the preferred one if the first evaluation has it, else its loss, else its first one.
// Without evaluations it is the training loss. Of equal rounds the earlier one is the best; a value that is not finite
// never is. Pure. One thread.
#pragma once
#include <optional>
#include <string>

#include "common/identifiers.h"
#include "common/training.h"
#include "server/retention/retention.h"

namespace hansa::server {

struct BestRound {
  RoundId round;
  std::string metric;  // "test accuracy", "held-out accuracy" or "training loss"
  double value = 0;
  friend bool operator==(const BestRound&, const BestRound&) = default;
};
// "round 17 (test accuracy 0.8123)"
[[nodiscard]] std::string text_of(const BestRound& best);

class BestRounds {
 public:
  explicit BestRounds(std::string preferred) : preferred_(std::move(preferred)) {}

  void add_training(RoundId round, const Metrics& training);
  // In any order. Round 0, the initial model, is no round of the run.
  void add_evaluation(RoundId round, const Metrics& evaluation);
  // Of the model after this round, which the clients of the next one measured.
  void add_held_out(RoundId round, const Metrics& held_out);
  // The newest round that has a value of the metric by which rounds are compared. 0: none has.
  [[nodiscard]] RoundId last_compared() const;
  // Whether that metric is one of the evaluations, or of what clients measured on held-out examples.
  [[nodiscard]] bool is_by_evaluation() const { return by_evaluation_.has_value(); }
  [[nodiscard]] bool is_by_held_out() const { return !by_evaluation_ && by_held_out_.has_value(); }
  // Which values of that metric are better.
  [[nodiscard]] Better better() const;
  // Empty if no round has a value yet.
  [[nodiscard]] const std::optional<BestRound>& best() const {
    return by_evaluation_ ? by_evaluation_ : by_held_out_ ? by_held_out_ : by_training_;
  }

 private:
  std::string preferred_;
  // The metrics of the two kinds of evaluation; empty: there was none yet.
  std::string evaluated_, held_out_;
  std::optional<BestRound> by_evaluation_, by_held_out_, by_training_;
  RoundId last_evaluated_, last_held_out_, last_trained_;
};

}  // namespace hansa::server
