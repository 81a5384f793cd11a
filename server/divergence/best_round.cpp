#include "server/divergence/best_round.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "server/retention/retention.h"

namespace hansa::server {
namespace {

constexpr std::string_view loss = "loss";

void take_better(RoundId round, std::string_view label, std::string_view metric, const Metrics& metrics,
                 std::optional<BestRound>& best) {
  const auto value = mean_of(metrics, metric);
  if (!value || !std::isfinite(*value)) return;
  if (best) {
    const bool lower = better_of(metric) == Better::lower;
    const bool better = lower ? *value < best->value : *value > best->value;
    if (!better && !(*value == best->value && round < best->round)) return;
  }
  best = BestRound{round, fmt::format("{} {}", label, metric), *value};
}

}  // namespace

std::string text_of(const BestRound& best) {
  return fmt::format("round {} ({} {:.4f})", best.round.value, best.metric, best.value);
}

void BestRounds::add_training(RoundId round, const Metrics& training) {
  take_better(round, "training", loss, training, by_training_);
}

void BestRounds::add_evaluation(RoundId round, const Metrics& evaluation) {
  if (round.value == 0 || evaluation.empty()) return;
  if (evaluated_.empty()) {
    const auto has = [&](std::string_view name) {
      return std::ranges::find(evaluation, name, &Metric::name) != evaluation.end();
    };
    evaluated_ = has(preferred_) ? preferred_ : has(loss) ? std::string(loss) : evaluation.front().name;
  }
  take_better(round, "test", evaluated_, evaluation, by_evaluation_);
}

}  // namespace hansa::server
