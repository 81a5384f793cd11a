// hansa plot: a chart of one run or several.
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/files.h"
#include "common/spelling.h"
#include "server/output/run_view.h"
#include "tools/chart_image.h"
#include "tools/run_charts.h"
#include "tools/run_list.h"
#include "tools/view_commands.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;

struct PlotOptions {
  std::vector<fs::path> runs;
  fs::path out;
  std::vector<std::string> series;
};

// Fails if no run has a series of this name.
Result<void> check_series(const std::vector<RunSeries>& runs, const std::string& name) {
  std::set<std::string> names;
  for (const RunSeries& run : runs)
    for (const server::Series& series : run.series) names.insert(series.name);
  if (names.contains(name)) return {};
  const std::vector<std::string> known(names.begin(), names.end());
  const auto near = nearest_word(name, known);
  std::string all;
  for (const std::string& one : known) all += (all.empty() ? "" : ", ") + one;
  return fail(ErrorCode::usage, "--series", "\"" + name + "\" is no series of these runs",
              near ? "did you mean \"" + *near + "\"?" : "they have " + all);
}

Result<void> run_plot(const PlotOptions& options) {
  const std::string extension = options.out.extension().string();
  if (extension != ".svg" && extension != ".png")
    return fail(ErrorCode::usage, options.out.string(), "is no name of an SVG or PNG file",
                "use -o FILE.svg or -o FILE.png");
  std::vector<RunSeries> runs;
  for (const fs::path& path : options.runs) {
    HANSA_TRY(const fs::path folder, find_run(path));
    HANSA_TRY(const auto view, server::read_run_view(folder));
    runs.push_back({view.identity.run, server::series_of(server::rows_of(view))});
  }
  for (const std::string& name : options.series) HANSA_TRY_VOID(check_series(runs, name));
  const Chart chart = options.series.empty() ? learning_chart(runs) : series_chart(runs, options.series);
  if (chart.panels.empty())
    return fail(ErrorCode::usage, options.runs.front().string(), "has no accuracy and no loss yet",
                "name other series with --series, for example round/seconds");
  std::string bytes = svg_of(chart, {});
  if (extension == ".png") {
    HANSA_TRY(bytes, png_of(bytes));
  }
  HANSA_TRY_VOID(write_file_atomically(options.out, bytes));
  fmt::print("{}\n", options.out.string());
  return {};
}

}  // namespace

void add_plot_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command = hansa.add_subcommand("plot", "Draw a run, or compare several, as an SVG or PNG file");
  command->footer(
      "Without --series: accuracy and loss by round. docs/metrics.md lists the series.\n"
      "Examples:\n  hansa plot runs -o run.svg\n"
      "  hansa plot runs/mine-20260101-120000 runs/mine-20260102-120000 -o compared.svg\n"
      "  hansa plot runs --series round/seconds --series bytes/up -o cost.svg");
  auto options = std::make_shared<PlotOptions>();
  command
      ->add_option("RUN", options->runs,
                   "Run folders; for the newest run, the folder of runs or the federation's folder")
      ->required();
  command->add_option("-o,--out", options->out, "File to write, by its ending an SVG or a PNG")
      ->required()
      ->type_name("FILE");
  command->add_option("--series", options->series, "A series to draw; may be given several times")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command->callback([options, &outcome] { outcome = run_plot(*options); });
}

}  // namespace hansa::tools
