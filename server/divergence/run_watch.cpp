#include "server/divergence/run_watch.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "server/store/training_metrics.h"

namespace hansa::server {

std::optional<double> typical_loss(const RoundRecord& record) {
  constexpr std::string_view loss = "loss";
  if (record.secure) return mean_of(record.secure->metrics, loss);
  std::vector<double> losses;
  for (const Participation& participation : record.participations)
    if (participation.outcome == Outcome::counted)
      if (const auto mean = mean_of(participation.metrics, loss))
        losses.push_back(std::isnan(*mean) ? std::numeric_limits<double>::infinity() : *mean);
  if (losses.empty()) return std::nullopt;
  std::ranges::sort(losses);
  const std::size_t half = losses.size() / 2;
  return losses.size() % 2 == 1 ? losses[half] : losses[half - 1] / 2 + losses[half] / 2;
}

std::vector<std::string> RunWatch::on_committed(const RoundRecord& record) {
  best_.add_training(record.round, training_metrics(record));
  RoundMeasures measures{record.round, typical_loss(record), {}};
  if (!std::isnan(record.update_norm)) measures.update_norm = record.update_norm;
  return divergence_.observe(measures);
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
