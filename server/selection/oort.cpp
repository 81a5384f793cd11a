#include "server/selection/oort.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "common/random.h"
#include "server/selection/weighted_draw.h"

namespace hansa::server {
namespace {

bool is_known(const Candidate& candidate) {
  return candidate.rounds_counted > 0 && candidate.loss.has_value();
}

// The value below which this part of the values lies; values is not empty.
double percentile(std::vector<double> values, double part) {
  const auto at = static_cast<std::size_t>(part * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(at));
  return values[at];
}

}  // namespace

std::vector<double> Oort::utilities(std::span<const Candidate> candidates, RoundId round) const {
  std::vector<double> statistical, times;
  for (const Candidate& c : candidates) {
    if (!is_known(c)) continue;
    statistical.push_back(static_cast<double>(c.examples) * std::max(0.0, *c.loss));
    if (c.round_seconds > 0) times.push_back(c.round_seconds);
  }
  std::vector<double> out(candidates.size(), 0.0);
  if (statistical.empty()) return out;
  const double most = percentile(statistical, 0.95);
  const double least = std::min(most, *std::ranges::min_element(statistical));
  const double preferred = times.empty() ? 0 : percentile(times, options_.preferred_percentile);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& c = candidates[i];
    if (!is_known(c)) continue;
    const double clipped = std::min(most, static_cast<double>(c.examples) * std::max(0.0, *c.loss));
    // Where all are equal, all are worth the same.
    out[i] = most > least ? (clipped - least) / (most - least) : 1.0;
    const double last = std::max<double>(1, c.last_selected.value);
    out[i] += std::sqrt(0.1 * std::log(std::max<double>(1, round.value)) / last);
    if (preferred > 0 && c.round_seconds > preferred)
      out[i] *= std::pow(preferred / c.round_seconds, options_.round_penalty);
  }
  return out;
}

std::size_t Oort::explorers(std::size_t size, RoundId round) const {
  const double rounds = static_cast<double>(round.value) - 1;
  const double part =
      std::max(options_.exploration_min, options_.exploration * std::pow(options_.exploration_decay, rounds));
  return static_cast<std::size_t>(std::min(1.0, part) * static_cast<double>(size) + 0.5);
}

std::vector<std::size_t> Oort::select(std::span<const Candidate> candidates, std::size_t size, RoundId round,
                                      std::uint64_t seed) const {
  assert(size >= 1 && size <= candidates.size());
  std::vector<std::size_t> known, unknown;
  for (std::size_t i = 0; i < candidates.size(); ++i)
    (is_known(candidates[i]) ? known : unknown).push_back(i);
  std::size_t of_unknown = std::min(explorers(size, round), unknown.size());
  of_unknown = std::max(of_unknown, size - std::min(size, known.size()));

  Random random(seed);
  random.shuffle(std::span(unknown));
  std::vector<std::size_t> out(unknown.begin(), unknown.begin() + static_cast<std::ptrdiff_t>(of_unknown));
  const std::vector<double> utility = utilities(candidates, round);
  std::vector<double> weights;
  for (const std::size_t i : known) weights.push_back(utility[i]);
  for (const std::size_t i : internal::weighted_draw(weights, size - of_unknown, random))
    out.push_back(known[i]);
  std::ranges::sort(out);
  return out;
}

}  // namespace hansa::server
