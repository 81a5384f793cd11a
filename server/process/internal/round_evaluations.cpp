#include "server/process/internal/round_evaluations.h"

#include <fmt/format.h>

namespace hansa::server::internal {

void RoundEvaluations::ask(RoundId round, const Digest& model) {
  if (evaluator_) waiting_.emplace_back(round, model);
  start_next();
}

void RoundEvaluations::collect() {
  if (!evaluator_) return;
  auto answer = evaluator_->take();
  if (!answer) return;
  file_ = {};
  if (const std::string warning = evaluator_->take_warning(); !warning.empty()) reports_.warned(warning);
  if (*answer) record(in_work_, **answer);
  else
    reports_.failed(in_work_,
                    fmt::format("round {} cannot be evaluated: {}", in_work_.value, answer->error().text()));
  start_next();
}

void RoundEvaluations::record(RoundId round, const Metrics& metrics) {
  ++recording_;
  const auto recorded = std::make_shared<Result<void>>();
  executor_.run([this, round, metrics, recorded] { *recorded = store_.record_evaluation(round, metrics); },
                [this, round, metrics, recorded] {
                  --recording_;
                  if (!*recorded) reports_.failed(round, recorded->error().text());
                  reports_.evaluated(round, metrics);
                  if (!last_ || round > last_->first) last_.emplace(round, metrics);
                });
}

void RoundEvaluations::start_next() {
  if (!evaluator_ || evaluator_->busy() || opening_ > 0 || waiting_.empty()) return;
  const auto [round, model] = waiting_.back();
  waiting_.pop_back();
  ++opening_;
  const auto file = std::make_shared<Result<ModelFile>>(ModelFile{});
  executor_.run([this, model, file] { *file = store_.model_file(model); },
                [this, round, file] {
                  --opening_;
                  start(round, std::move(*file));
                });
}

void RoundEvaluations::start(RoundId round, Result<ModelFile> file) {
  if (!file) {
    // The retention removed it, because later rounds came faster than their evaluations.
    reports_.skipped(round, fmt::format("round {} is not evaluated: {}", round.value, file.error().text()));
    return start_next();
  }
  in_work_ = round;
  file_ = std::move(*file);
  evaluator_->request(file_.path);
}

}  // namespace hansa::server::internal
