#include "server/output/run_view.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "server/divergence/run_watch.h"
#include "server/store/run_catalogue.h"
#include "server/store/run_statistics.h"
#include "server/store/training_metrics.h"

namespace hansa::server {
namespace {

std::uint64_t sum_at_most_max(std::uint64_t a, std::uint64_t b) { return a + b < a ? UINT64_MAX : a + b; }

}  // namespace

Result<RunView> read_run_view(const std::filesystem::path& folder) {
  HANSA_TRY(const auto run, open_run_read_only(folder));
  RunView out{folder, {}, {}, {}, {}, {}, {}, {}};
  HANSA_TRY(const auto identity, run->identity());
  if (!identity)
    return fail(ErrorCode::usage, folder.string(), "has not started",
                "wait until enough clients are connected");
  out.identity = *identity;
  HANSA_TRY(out.rounds, run->rounds());
  HANSA_TRY(const auto evaluations, run->evaluations());
  for (const auto& [round, metrics] : evaluations) out.evaluations[round] = metrics;
  HANSA_TRY(out.end, run->end());
  HANSA_TRY(out.abandoned, run->abandoned_attempts());
  HANSA_TRY(const auto statistics, read_statistics(*run));
  if (statistics) {
    HANSA_TRY(out.statistics, statistics_of_vector(statistics->vector));
  }
  HANSA_TRY(out.configurations, run->configurations());
  return out;
}

const Metrics* find_evaluation(const RunView& view, RoundId round) {
  const auto found = view.evaluations.find(round);
  return found == view.evaluations.end() ? nullptr : &found->second;
}

std::optional<BestRound> best_of(const RunView& view) {
  BestRounds out("accuracy");
  for (const RoundRecord& round : view.rounds) {
    add_training(out, round);
    add_held_out(out, round);
  }
  for (const auto& [round, metrics] : view.evaluations) out.add_evaluation(round, metrics);
  return out.best();
}

RoundTotals totals_of(const RoundRecord& round) {
  RoundTotals out;
  out.counted = counted_clients(round);
  for (const Participation& participation : round.participations) {
    out.bytes_up = sum_at_most_max(out.bytes_up, participation.bytes_up);
    out.bytes_down = sum_at_most_max(out.bytes_down, participation.bytes_down);
  }
  return out;
}

std::string outcome_text(Outcome outcome) {
  std::string out = name(outcome);
  std::ranges::replace(out, '_', ' ');
  return out;
}

std::string lost_text(const RoundRecord& round, std::size_t named_max) {
  std::string out;
  std::size_t lost = 0;
  for (const Participation& participation : round.participations) {
    if (participation.outcome == Outcome::counted) continue;
    if (++lost > named_max) continue;
    out += (out.empty() ? "" : "; ") + participation.client + ": " + outcome_text(participation.outcome);
    if (!participation.reason.empty()) out += " (" + participation.reason + ")";
  }
  if (lost > named_max) out += fmt::format("; and {} more", lost - named_max);
  return out;
}

}  // namespace hansa::server
