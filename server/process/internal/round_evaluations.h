// Evaluates committed rounds in the background and stores the results. The newest round is evaluated first, so that the
// displayed accuracy is recent even if an evaluation takes longer than a round. One thread.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "server/engine/executor.h"
#include "server/evaluation/model_process.h"
#include "server/store/run.h"

namespace hansa::server::internal {

class RoundEvaluations {
 public:
  struct Reports {
    std::function<void(RoundId, const Metrics&)> evaluated;  // and stored
    std::function<void(RoundId, const std::string&)> failed;
    std::function<void(RoundId, const std::string&)> skipped;
    std::function<void(const std::string&)> warned;
  };
  // evaluator: null if nothing is evaluated. The store is called on the executor, between commits.
  RoundEvaluations(std::unique_ptr<BackgroundEvaluator> evaluator, Run& store, Executor& executor,
                   Reports reports)
      : evaluator_(std::move(evaluator)), store_(store), executor_(executor), reports_(std::move(reports)) {}

  void ask(RoundId round, const Digest& model);
  // Takes a finished evaluation, if there is one. Called when descriptor() is readable, or at any time.
  void collect();
  [[nodiscard]] int descriptor() const { return evaluator_ ? evaluator_->descriptor() : -1; }
  [[nodiscard]] std::size_t outstanding() const {
    return evaluator_ ? waiting_.size() + (evaluator_->busy() ? 1 : 0) + opening_ + recording_ : 0;
  }
  // The newest round that was evaluated since the start.
  [[nodiscard]] const std::optional<std::pair<RoundId, Metrics>>& last() const { return last_; }

 private:
  void record(RoundId round, const Metrics& metrics);
  void start_next();
  void start(RoundId round, Result<ModelFile> file);

  std::unique_ptr<BackgroundEvaluator> evaluator_;
  Run& store_;
  Executor& executor_;
  Reports reports_;
  std::vector<std::pair<RoundId, Digest>> waiting_;
  RoundId in_work_;
  ModelFile file_;  // of the current round
  std::size_t opening_ = 0;  // models that the executor has not yet opened
  std::size_t recording_ = 0;  // results that the executor has not yet recorded
  std::optional<std::pair<RoundId, Metrics>> last_;
};

}  // namespace hansa::server::internal
