#include "server/divergence/best_round.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace hansa::server {
namespace {

constexpr std::string_view loss = "loss";

void take_better(RoundId round, std::string_view label, std::string_view metric, const Metrics& metrics,
                 std::optional<BestRound>& best, RoundId& last) {
  const auto value = mean_of(metrics, metric);
  if (!value) return;
  last = std::max(last, round);
  if (!std::isfinite(*value)) return;
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
  take_better(round, "training", loss, training, by_training_, last_trained_);
}

void BestRounds::add_evaluation(RoundId round, const Metrics& evaluation) {
  if (round.value == 0 || evaluation.empty()) return;
  if (evaluated_.empty()) {
    const auto has = [&](std::string_view name) {
      return std::ranges::find(evaluation, name, &Metric::name) != evaluation.end();
    };
    evaluated_ = has(preferred_) ? preferred_ : has(loss) ? std::string(loss) : evaluation.front().name;
  }
  take_better(round, "test", evaluated_, evaluation, by_evaluation_, last_evaluated_);
}

Better BestRounds::better() const { return better_of(by_evaluation_ ? std::string_view(evaluated_) : loss); }

}  // namespace hansa::server
