#include "server/divergence/until.h"

#include <fmt/format.h>

namespace hansa::server {

std::string reached(const UntilConfig& until, const UntilFacts& facts) {
  if (until.reaches && facts.best) {
    const bool holds = facts.better == Better::lower ? facts.best->value <= *until.reaches
                                                     : facts.best->value >= *until.reaches;
    if (holds)
      return fmt::format("{} reached {} (schedule.until.reaches)", text_of(*facts.best), *until.reaches);
  }
  if (until.without_better > 0 && facts.best &&
      facts.last_compared.value >= facts.best->round.value + until.without_better)
    return fmt::format("no round after {} was better, for {} rounds (schedule.until.without_better)",
                       text_of(*facts.best), facts.last_compared.value - facts.best->round.value);
  // A clock that was set back must not end a run.
  if (until.seconds > 0 && facts.first_round && facts.now >= *facts.first_round &&
      facts.now.value - facts.first_round->value >= until.seconds)
    return fmt::format("{:.4g} hours have passed since the first round (schedule.until.hours)",
                       static_cast<double>(facts.now.value - facts.first_round->value) / 3600);
  return {};
}

}  // namespace hansa::server
