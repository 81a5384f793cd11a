#include "tools/report/sections.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "common/metrics_text.h"
#include "common/utc.h"
#include "server/store/training_metrics.h"
#include "tools/report/html_table.h"
#include "tools/report/parts.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

using server::RoundRecord;
using server::RunView;

constexpr std::size_t rounds_max = 400;  // in the table of rounds
constexpr std::size_t abandoned_max = 50;

// Which rounds the table has: all, or the first, the last, and some in between at equal distances.
std::vector<const RoundRecord*> shown_rounds(const RunView& view) {
  const std::size_t all = view.rounds.size();
  std::vector<const RoundRecord*> out;
  if (all <= rounds_max) {
    for (const RoundRecord& round : view.rounds) out.push_back(&round);
    return out;
  }
  constexpr std::size_t first = 50, last = 150, between = rounds_max - first - last;
  std::set<std::size_t> places;
  for (std::size_t i = 0; i < first; ++i) places.insert(i);
  for (std::size_t i = 0; i < between; ++i) places.insert(first + i * (all - first - last) / between);
  for (std::size_t i = all - last; i < all; ++i) places.insert(i);
  for (const std::size_t place : places) out.push_back(&view.rounds[place]);
  return out;
}

// The names of the first metrics of the newest round that has any.
std::vector<std::string> names_of(const Metrics& metrics, std::size_t most) {
  std::vector<std::string> out;
  for (const Metric& metric : metrics)
    if (out.size() < most) out.push_back(metric.name);
  return out;
}

// "2026-01-02 03:04:05": breaks into two lines where there is little room.
std::string started_text(const std::string& rfc3339) {
  std::string out = short_text(rfc3339);
  if (!parse_rfc3339(rfc3339) || out.size() < 20) return out;
  out[10] = ' ';
  out.pop_back();
  return out;
}

}  // namespace

std::string rounds_section(const RunView& view) {
  if (view.rounds.empty()) return section("rounds", "Rounds", paragraph("No round is committed yet."));
  const std::vector<std::string> trained = names_of(server::training_metrics(view.rounds.back()), 2);
  const std::vector<std::string> tested =
      view.evaluations.empty() ? std::vector<std::string>() : names_of(view.evaluations.rbegin()->second, 3);
  const bool secure =
      std::ranges::any_of(view.rounds, [](const RoundRecord& r) { return r.secure.has_value(); });
  std::vector<HtmlColumn> columns{{"Round"},   {"Started (UTC)", CellKind::text}, {"Seconds"}, {"Attempt"},
                                  {"Counted"}, {"Lost", CellKind::text}};
  for (const std::string& name : trained) columns.push_back({"Train " + name});
  for (const std::string& name : tested) columns.push_back({"Test " + name});
  if (secure) columns.push_back({"Recovered"});
  columns.insert(columns.end(), {{"Up"}, {"Down"}});
  const auto shown = shown_rounds(view);
  HtmlTable table(
      shown.size() == view.rounds.size()
          ? fmt::format("All {} rounds", shown.size())
          : fmt::format("{} of {} rounds: the first, the last, and some in between; \"hansa export-metrics\" "
                        "writes all",
                        shown.size(), view.rounds.size()),
      columns);
  for (const RoundRecord* round : shown) {
    const server::RoundTotals totals = server::totals_of(*round);
    const Metrics training = server::training_metrics(*round);
    const Metrics* test = server::find_evaluation(view, round->round);
    std::vector<std::string> row{std::to_string(round->round.value),
                                 started_text(round->started_at),
                                 fmt::format("{:.2f}", round->seconds),
                                 std::to_string(round->attempt),
                                 fmt::format("{} of {}", totals.counted, round->participations.size()),
                                 short_text(server::lost_text(*round))};
    for (const std::string& name : trained) row.push_back(mean_text(training, name));
    for (const std::string& name : tested) row.push_back(test == nullptr ? "-" : mean_text(*test, name));
    if (secure) row.push_back(round->secure ? std::to_string(round->secure->recovered) : "-");
    row.insert(row.end(), {bytes_text(totals.bytes_up), bytes_text(totals.bytes_down)});
    table.add_row(row);
  }
  return section("rounds", "Rounds", table.html(), on_a_new_page);
}

const char* step_text(server::AbandonCause cause) {
  switch (cause) {
    case server::AbandonCause::unknown: break;
    case server::AbandonCause::cohort: return "start";
    case server::AbandonCause::updates: return "updates";
    case server::AbandonCause::opening: return "opening the sum";
    case server::AbandonCause::refused_sum: return "sum refused";
  }
  return "";
}

std::string abandoned_section(const RunView& view) {
  if (view.abandoned.empty()) return "";
  const std::size_t shown = std::min(view.abandoned.size(), abandoned_max);
  HtmlTable table(
      fmt::format("The last {} of {} attempts that came to nothing", shown, view.abandoned.size()),
      {{"Time", CellKind::text},
       {"Round"},
       {"Attempt"},
       {"Failed at", CellKind::text},
       {"Reason", CellKind::text}});
  for (std::size_t i = view.abandoned.size() - shown; i < view.abandoned.size(); ++i) {
    const server::AbandonedAttempt& attempt = view.abandoned[i];
    table.add_row({attempt.at, std::to_string(attempt.round.value), std::to_string(attempt.attempt),
                   step_text(attempt.cause), short_text(attempt.reason)});
  }
  return section("abandoned", "Abandoned attempts", table.html());
}

}  // namespace hansa::tools
