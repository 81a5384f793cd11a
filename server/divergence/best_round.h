// The best round of a run by one metric: of the evaluations, or, where there are none, of the training.
//
// The metric of the evaluation is the preferred one if the first evaluation has it, else its loss, else its first one.
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
  std::string metric;  // "test accuracy" or "training loss"
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
  // The newest round that has a value of the metric by which rounds are compared. 0: none has.
  [[nodiscard]] RoundId last_compared() const { return by_evaluation_ ? last_evaluated_ : last_trained_; }
  // Whether that metric is one of the evaluations.
  [[nodiscard]] bool is_by_evaluation() const { return by_evaluation_.has_value(); }
  // Which values of that metric are better.
  [[nodiscard]] Better better() const;
  // Empty if no round has a value yet.
  [[nodiscard]] const std::optional<BestRound>& best() const {
    return by_evaluation_ ? by_evaluation_ : by_training_;
  }

 private:
  std::string preferred_;
  std::string evaluated_;  // the metric of the evaluation; empty: none was evaluated yet
  std::optional<BestRound> by_evaluation_, by_training_;
  RoundId last_evaluated_, last_trained_;
};

}  // namespace hansa::server
