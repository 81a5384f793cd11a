#include "tools/report/sections.h"

#include <vector>

#include <fmt/format.h>

#include "tools/report/parts.h"
#include "tools/run_charts.h"

namespace hansa::tools {
namespace {

std::string figure(const Chart& chart, const std::string& id, double panel_height) {
  if (chart.panels.empty()) return "";
  return "<figure tabindex=\"0\">\n" + svg_of(chart, {900, panel_height, ChartPlace::page, id}) +
         "</figure>\n";
}

}  // namespace

std::string plots_section(const server::RunView& view) {
  const RunSeries run{view.identity.run, server::series_of(server::rows_of(view))};
  const std::vector<RunSeries> runs{run};
  Chart learning = learning_chart(runs);
  learning.title = "Accuracy and loss by round";
  std::string out = figure(learning, "learning", 230);
  Chart spread = spread_chart(run);
  spread.title = "Mean and worst tenth of the clients by round";
  out += figure(spread, "spread", 180);
  const auto add = [&](const char* title, const char* id, const std::vector<std::string>& names) {
    out += figure(combined_chart(run, title, names), id, 150);
  };
  add("clients by round", "clients", {"clients/selected", "clients/counted", "clients/lost"});
  add("seconds by round", "seconds", {"round/seconds", "secure/setup_seconds", "secure/unmask_seconds"});
  add("bytes by round", "bytes", {"bytes/up", "bytes/down"});
  add("norm of the mean update by round", "norm", {"round/update_norm"});
  if (out.empty()) out = paragraph("No round is committed yet.");
  return section("plots", "Plots", out);
}

}  // namespace hansa::tools
