// hansa runs, hansa runs remove | archive: the runs of a federation as records.
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "tools/commands.h"
#include "tools/json_text.h"
#include "tools/run_disposal.h"
#include "tools/run_list.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;

struct ListOptions {
  fs::path folder = ".";
  std::string metric;
  OutputForm form = OutputForm::table;
};

void print_json(const std::vector<RunSummary>& runs) {
  nlohmann::json out = nlohmann::json::array();
  for (const RunSummary& run : runs) {
    nlohmann::json entry{{"run", run.name},          {"folder", run.folder.string()},
                         {"state", name(run.state)}, {"federation", run.federation},
                         {"started", run.started},   {"started_from", run.started_from},
                         {"rounds", run.rounds}};
    if (!run.reason.empty()) entry["reason"] = run.reason;
    if (!run.end.empty()) entry["finished"] = run.end;
    if (const auto& metric = run.metric)
      entry["metric"] = {{"name", metric->name},
                         {"of", name(metric->of)},
                         {"best", {{"round", metric->best_round.value}, {"mean", metric->best}}},
                         {"last", {{"round", metric->last_round.value}, {"mean", metric->last}}}};
    out.push_back(std::move(entry));
  }
  fmt::print("{}\n", json_text(out));
}

void print_table(const fs::path& folder, const std::vector<RunSummary>& runs) {
  if (runs.empty()) {
    fmt::print("{} has no run yet\n", folder.string());
    return;
  }
  TextTable table({{"run", Align::left},
                   {"federation", Align::left},
                   {"started", Align::left},
                   {"state", Align::left},
                   {"rounds"},
                   {"metric", Align::left},
                   {"best", Align::left},
                   {"last"},
                   {"from", Align::left}});
  std::string reasons;
  for (const RunSummary& run : runs) {
    std::string metric = "-", best = "-", last = "-";
    if (run.metric) {
      metric = run.metric->name;
      if (run.metric->of != MetricOf::evaluation) metric += fmt::format(" ({})", name(run.metric->of));
      best = fmt::format("{:.4f} @{}", run.metric->best, run.metric->best_round.value);
      last = fmt::format("{:.4f}", run.metric->last);
    }
    const auto known = [](const std::string& text) { return text.empty() ? "-" : text; };
    table.add_row({run.name, known(run.federation), known(run.started), name(run.state),
                   std::to_string(run.rounds), metric, best, last, known(run.started_from)});
    if (!run.reason.empty()) reasons += run.name + ": " + run.reason + "\n";
  }
  fmt::print("{}{}", table.text(), reasons);
}

Result<void> run_list(const ListOptions& options) {
  HANSA_TRY(const fs::path folder, find_runs_folder(options.folder));
  HANSA_TRY(const auto runs, list_runs(folder, options.metric));
  if (options.form == OutputForm::json) print_json(runs);
  else print_table(folder, runs);
  return {};
}

struct DisposeOptions {
  fs::path run;
  bool yes = false;
};

// An aggregator that starts without --new continues the newest run.
void print_newest_left(const fs::path& folder) {
  if (const auto newest = find_run(folder.parent_path()))
    fmt::print(
        "the newest run that is left: {}; hansa-aggregator may continue it, unless started with --new\n",
        newest->filename().string());
}

Result<void> run_remove(const DisposeOptions& options) {
  HANSA_TRY(HeldRun run, HeldRun::open(options.run));
  if (!options.yes) {
    fmt::print("This removes the run {} with all its models, for ever. Type its name to confirm: ",
               run.name());
    std::fflush(stdout);
    std::string typed;
    std::getline(std::cin, typed);
    if (typed != run.name())
      return fail(ErrorCode::usage, options.run.string(), "was not removed: the name was not confirmed",
                  "type \"" + run.name() + "\", or use --yes");
  }
  HANSA_TRY_VOID(run.remove());
  fmt::print("removed {}\n", run.folder().string());
  print_newest_left(run.folder());
  return {};
}

Result<void> run_archive(const fs::path& folder) {
  HANSA_TRY(HeldRun run, HeldRun::open(folder));
  HANSA_TRY(const fs::path file, run.archive());
  fmt::print("{0}\nto get the run back: tar -xzf {0} -C {1}\n", file.string(),
             run.folder().parent_path().string());
  print_newest_left(run.folder());
  return {};
}

}  // namespace

void add_runs_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command = hansa.add_subcommand("runs", "List the runs of a federation; remove or archive one");
  command->footer("Examples:\n  hansa runs\n  hansa runs mine --metric loss --json");
  auto options = std::make_shared<ListOptions>();
  command->add_option("FOLDER", options->folder, "A federation's folder, or a folder of runs")
      ->capture_default_str();
  command->add_option("--metric", options->metric,
                      "Metric of the columns best and last; default: accuracy, else the run's first metric");
  command->add_flag_callback(
      "--json", [options] { options->form = OutputForm::json; }, "Print JSON");

  CLI::App* remove = command->add_subcommand("remove", "Remove a run and its models for ever");
  remove->footer("Asks for the run's name.\nExample:\n  hansa runs remove runs/mine-20260101-120000");
  auto disposal = std::make_shared<DisposeOptions>();
  remove->add_option("RUN", disposal->run, "Run folder")->required();
  remove->add_flag("--yes", disposal->yes, "Do not ask");
  remove->callback([disposal, &outcome] { outcome = run_remove(*disposal); });

  CLI::App* archive = command->add_subcommand(
      "archive", "Pack a run into archive/RUN.tar.gz in its folder of runs, and remove its folder");
  archive->footer("Example:\n  hansa runs archive runs/mine-20260101-120000");
  auto folder = std::make_shared<fs::path>();
  archive->add_option("RUN", *folder, "Run folder")->required();
  archive->callback([folder, &outcome] { outcome = run_archive(*folder); });

  command->callback([command, options, &outcome] {
    if (command->get_subcommands().empty()) outcome = run_list(*options);
  });
}

}  // namespace hansa::tools
