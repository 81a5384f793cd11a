#include "tools/report/sections.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/metrics_text.h"
#include "common/terminal_text.h"
#include "server/store/held_out.h"
#include "server/store/training_metrics.h"
#include "tools/report/parts.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

using server::RoundRecord;
using server::RunView;

std::string last_means(const RunView& view) {
  if (view.evaluations.empty()) return "";
  const auto& [round, metrics] = *view.evaluations.rbegin();
  return fmt::format("{}, after round {}", means_text(metrics), round.value);
}

// A fact for each metric: all in one would be too long to read.
void add_held_out(Facts& facts, const RoundRecord& last) {
  const auto measured = server::held_out(last);
  if (!measured) return;
  for (const server::HeldOutMetric& metric : measured->metrics)
    facts.add(
        "Held-out " + metric.name,
        fmt::format("{:.4f}, after round {}{}", metric.total.sum / metric.total.count,
                    measured->of_round.value, metric.spread ? "; of " + server::spread_text(metric) : ""));
}

}  // namespace

std::string summary_section(const ReportContent& content) {
  const RunView& view = content.view;
  Facts facts;
  facts.add("Federation", view.identity.federation);
  facts.add("State", view.end && content.state == RunState::finished
                         ? fmt::format("finished: {}", view.end->why)
                         : std::string(name(content.state)));
  facts.add("Rounds", std::to_string(view.rounds.size()));
  if (const auto best = server::best_of(view)) facts.add("Best", text_of(*best));
  if (const std::string means = last_means(view); !means.empty()) facts.add("Last evaluation", means);
  if (!view.rounds.empty()) {
    const RoundRecord& last = view.rounds.back();
    facts.add("Last training", means_text(server::training_metrics(last)));
    add_held_out(facts, last);
    std::uint64_t up = 0, down = 0, lost = 0, selected = 0;
    double seconds = 0;
    for (const RoundRecord& round : view.rounds) {
      const server::RoundTotals totals = server::totals_of(round);
      up = sum_at_most_max(up, totals.bytes_up);
      down = sum_at_most_max(down, totals.bytes_down);
      selected += round.participations.size();
      lost += round.participations.size() - totals.counted;
      seconds += round.seconds;
    }
    facts.add("First round", view.rounds.front().started_at);
    facts.add("Time in rounds", duration_text(std::clamp(seconds, 0.0, 1e9)));
    facts.add("Traffic", fmt::format("{} up, {} down", bytes_text(up), bytes_text(down)));
    facts.add("Updates", fmt::format("{} counted, {} lost", selected - lost, lost));
    facts.add("Model", last.model.text());
  }
  facts.add("Abandoned attempts", view.abandoned.size() == server::abandoned_attempts_max
                                      ? fmt::format("at least {}", view.abandoned.size())
                                      : std::to_string(view.abandoned.size()));
  if (!view.identity.started_from.empty()) facts.add("Started from", view.identity.started_from);
  if (view.identity.kind == server::RunKind::simulated) facts.add("Kind", "simulated");
  return section("summary", "Summary", facts.html());
}

}  // namespace hansa::tools
