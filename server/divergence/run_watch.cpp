#include "server/divergence/run_watch.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "server/store/held_out.h"
#include "server/store/training_metrics.h"

namespace hansa::server {

std::optional<MiddleLosses> middle_losses(const RoundRecord& record) {
  constexpr std::string_view loss = "loss";
  if (record.secure) {
    const auto mean = mean_of(record.secure->metrics, loss);
    return mean ? std::optional(MiddleLosses{*mean, *mean}) : std::nullopt;
  }
  std::vector<double> losses;
  for (const Participation& participation : record.participations)
    if (participation.outcome == Outcome::counted)
      if (const auto mean = mean_of(participation.metrics, loss))
        losses.push_back(std::isnan(*mean) ? std::numeric_limits<double>::infinity() : *mean);
  if (losses.empty()) return std::nullopt;
  std::ranges::sort(losses);
  return MiddleLosses{losses[(losses.size() - 1) / 2], losses[losses.size() / 2]};
}

void add_training(BestRounds& best, const RoundRecord& record) {
  if (const auto losses = middle_losses(record)) best.add_training(record.round, {{"loss", losses->high, 1}});
}

void add_held_out(BestRounds& best, const RoundRecord& record) {
  if (const auto measured = held_out(record))
    best.add_held_out(measured->of_round, middles_of(*measured, counted_clients(record)));
}

std::vector<std::string> RunWatch::on_committed(const RoundRecord& record) {
  RoundMeasures measures;
  measures.round = record.round;
  measures.loss_is_robust = !record.secure;
  if (const auto losses = middle_losses(record)) measures.loss = losses->low;
  if (!std::isnan(record.update_norm)) measures.update_norm = record.update_norm;
  measures.held_out_loss = typical_held_out_loss(record);
  add_training(best_, record);
  add_held_out(best_, record);
  if (!first_round_) first_round_ = parse_rfc3339(record.started_at);
  return divergence_.observe(measures);
}

std::string RunWatch::reached(UtcSeconds now) const {
  UntilFacts facts;
  facts.first_round = first_round_;
  facts.now = now;
  // A training loss must not end a run that waits for its first evaluation.
  const bool is_comparable = config_.has_evaluations
                                 ? best_.is_by_evaluation()
                                 : !config_.is_measured_on_clients || best_.is_by_held_out();
  if (is_comparable) {
    facts.best = best_.best();
    facts.better = best_.better();
    facts.last_compared = best_.last_compared();
  }
  return server::reached(config_.until, facts);
}

std::string divergence_text(RoundId round, const std::vector<std::string>& problems) {
  std::string out = "round " + std::to_string(round.value) + " diverges: ";
  for (std::size_t i = 0; i < problems.size(); ++i) out += (i > 0 ? "; " : "") + problems[i];
  return out;
}

Result<std::vector<std::string>> RunWatch::restore(Run& run) {
  HANSA_TRY(const auto rounds, run.rounds());
  std::vector<std::string> problems;
  for (const RoundRecord& record : rounds) problems = on_committed(record);
  HANSA_TRY(const auto evaluations, run.evaluations());
  for (const auto& [round, metrics] : evaluations) on_evaluated(round, metrics);
  return problems;
}

}  // namespace hansa::server
