// hansa export-metrics: the series of runs in the files of other tools.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/files.h"
#include "common/folder_lock.h"
#include "server/output/event_file.h"
#include "server/output/mlflow_folder.h"
#include "server/output/series.h"
#include "server/output/tables.h"
#include "tools/commands.h"
#include "tools/run_list.h"
#include "tools/run_settings.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;

struct ExportOptions {
  std::vector<fs::path> runs;
  std::string csv;
  std::string json_lines;
  fs::path tensorboard;
  fs::path mlflow;
};

constexpr std::string_view to_stdout = "-";

Result<void> write_table(const std::string& file, const std::string& text) {
  if (file == to_stdout) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return {};
  }
  HANSA_TRY_VOID(write_file_atomically(file, text));
  fmt::print("{}\n", file);
  return {};
}

Result<void> write_events(const server::RunView& view, const fs::path& folder) {
  if (view.rounds.empty()) return fail(ErrorCode::usage, view.folder.string(), "has no committed round yet");
  const double started = server::start_time(view.rounds.front());
  HANSA_TRY(auto file,
            server::EventFile::open(server::event_file_of(folder, view.identity.run, started), started));
  HANSA_TRY_VOID(append_missing(file, server::rows_of(view)));
  fmt::print("{}\n", file.path().string());
  return {};
}

Result<void> write_mlflow(const server::RunView& view, const fs::path& folder) {
  const auto status = is_folder_locked(view.folder) ? server::MlflowStatus::running
                      : view.end                    ? server::MlflowStatus::finished
                                                    : server::MlflowStatus::killed;
  HANSA_TRY(const fs::path run, server::write_mlflow_run(folder, {view, status, settings_of(view)}));
  fmt::print("{}\n", run.string());
  return {};
}

Result<void> run_export(const ExportOptions& options) {
  const bool has_form = !options.csv.empty() || !options.json_lines.empty() || !options.tensorboard.empty() ||
                        !options.mlflow.empty();
  if (!has_form)
    return fail(ErrorCode::usage, "", "does not say what to write",
                "use --csv FILE, --jsonl FILE, --tensorboard DIR or --mlflow DIR");
  std::vector<server::RunView> views;
  std::set<std::string> names;
  for (const fs::path& path : options.runs) {
    HANSA_TRY(const fs::path folder, find_run(path));
    HANSA_TRY(auto view, server::read_run_view(folder));
    if (!names.insert(view.identity.run).second)
      return fail(ErrorCode::usage, path.string(), "is a run whose name another one has",
                  "export one of them at a time, to another folder");
    views.push_back(std::move(view));
  }
  std::vector<server::NamedRows> tables;
  if (!options.csv.empty() || !options.json_lines.empty())
    for (const server::RunView& view : views) tables.push_back({view.identity.run, server::rows_of(view)});
  if (!options.csv.empty()) HANSA_TRY_VOID(write_table(options.csv, server::csv_of(tables)));
  if (!options.json_lines.empty())
    HANSA_TRY_VOID(write_table(options.json_lines, server::json_lines_of(tables)));
  for (const server::RunView& view : views) {
    if (!options.tensorboard.empty()) HANSA_TRY_VOID(write_events(view, options.tensorboard));
    if (!options.mlflow.empty()) HANSA_TRY_VOID(write_mlflow(view, options.mlflow));
  }
  return {};
}

}  // namespace

void add_export_metrics_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command = hansa.add_subcommand(
      "export-metrics", "Write the numbers of runs as CSV or JSON lines, for TensorBoard or for MLflow");
  command->footer(
      "Several forms may be written at once. A run may be exported again: files are replaced, and an event "
      "file of "
      "TensorBoard gets what it lacks. docs/metrics.md lists the series.\n"
      "Examples:\n  hansa export-metrics runs --csv runs.csv\n"
      "  hansa export-metrics runs/mine-20260101-120000 runs/mine-20260102-120000 --tensorboard logs\n"
      "  hansa export-metrics runs --mlflow mlruns");
  auto options = std::make_shared<ExportOptions>();
  command
      ->add_option("RUN", options->runs,
                   "Run folders; for the newest run, the folder of runs or the federation's folder")
      ->required();
  command->add_option("--csv", options->csv, "Write a table with a row for each round; -: print it")
      ->type_name("FILE");
  command->add_option("--jsonl", options->json_lines, "Write a JSON object for each round; -: print them")
      ->type_name("FILE");
  command
      ->add_option("--tensorboard", options->tensorboard,
                   "Write an event file for TensorBoard below this folder, in a folder for each run")
      ->type_name("DIR");
  command
      ->add_option("--mlflow", options->mlflow,
                   "Write into this folder in the layout of MLflow's file store (mlruns)")
      ->type_name("DIR");
  command->callback([options, &outcome] { outcome = run_export(*options); });
}

}  // namespace hansa::tools
