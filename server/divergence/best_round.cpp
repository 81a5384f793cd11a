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

// The metric by which the rounds are compared.
std::string chosen(const Metrics& metrics, const std::string& preferred) {
  const auto has = [&](std::string_view name) {
    return std::ranges::find(metrics, name, &Metric::name) != metrics.end();
  };
  return has(preferred) ? preferred : has(loss) ? std::string(loss) : metrics.front().name;
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
  if (evaluated_.empty()) evaluated_ = chosen(evaluation, preferred_);
  take_better(round, "test", evaluated_, evaluation, by_evaluation_, last_evaluated_);
}

void BestRounds::add_held_out(RoundId round, const Metrics& held_out) {
  if (round.value == 0 || held_out.empty()) return;
  if (held_out_.empty()) held_out_ = chosen(held_out, preferred_);
  take_better(round, "held-out", held_out_, held_out, by_held_out_, last_held_out_);
}

Better BestRounds::better() const {
  return better_of(by_evaluation_ ? std::string_view(evaluated_)
                   : by_held_out_ ? std::string_view(held_out_)
                                  : loss);
}

RoundId BestRounds::last_compared() const {
  return by_evaluation_ ? last_evaluated_ : by_held_out_ ? last_held_out_ : last_trained_;
}

}  // namespace hansa::server
