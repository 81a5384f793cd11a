#include "server/process/internal/final_report.h"

#include <fmt/format.h>

#include "common/metrics_text.h"
#include "common/text.h"
#include "server/config/rounds.h"
#include "server/process/internal/panel.h"

namespace hansa::server::internal {
namespace {

std::string best_line(const FinalReport& report) {
  std::string out = "best: " + text_of(*report.best);
  if (report.best->round == report.last) return out + ", the last one";
  if (!report.best_is_kept) return out + ", whose model was removed ([store] keep)";
  return out + "; begin a run from it with \"" + command_from(report.config, report.run, report.best->round) +
         "\"";
}

}  // namespace

std::string command_from(const std::string& config, const std::string& run, RoundId round) {
  return fmt::format("hansa-aggregator {} --from {}@{}", config, run, round.value);
}

std::vector<std::string> lines_of(const FinalReport& report) {
  const RunSummary& summary = report.summary;
  std::vector<std::string> out;
  out.push_back(fmt::format("rounds: {} committed in {}, {} in all", summary.rounds,
                            duration_text(report.seconds), rounds_text(report.last, report.rounds)));
  if (summary.rounds > 0)
    out.push_back(fmt::format("updates: {} counted{}", summary.updates,
                              summary.lost.empty() ? "" : "; lost: " + join(summary.lost, 8)));
  for (const std::string& warning : summary.warnings) out.push_back("warning: " + warning);
  for (const Metric& metric : summary.training)
    if (metric.count > 0 && metric.name != new_examples_metric)
      out.push_back(fmt::format("final training {}: {}", metric.name, mean_text(metric)));
  if (summary.held_out)
    out.push_back(fmt::format("held out on the clients, after round {}: {}", summary.held_out->of_round.value,
                              text_of(*summary.held_out)));
  if (report.evaluated && report.evaluated->first == report.last)
    for (const Metric& metric : report.evaluated->second)
      if (metric.count > 0) out.push_back(fmt::format("final test {}: {}", metric.name, mean_text(metric)));
  if (report.best) out.push_back(best_line(report));
  out.push_back("final model: " + report.model.text());
  out.push_back("run folder: " + report.run_folder);
  for (std::string& line : out) line = printable(line);  // some texts come from clients
  return out;
}

}  // namespace hansa::server::internal
