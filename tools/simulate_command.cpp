// hansa simulate: a federation.toml in one process.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/metrics_text.h"
#include "common/program.h"
#include "common/text.h"
#include "server/config/client_files.h"
#include "server/config/federation_config.h"
#include "server/store/held_out.h"
#include "server/store/held_out_json.h"
#include "server/store/training_metrics.h"
#include "simulation/simulate.h"
#include "tools/learning_commands.h"
#include "tools/json_text.h"
#include "tools/metrics_json.h"

namespace hansa::tools {
namespace {

struct Arguments {
  std::string file;
  std::vector<std::filesystem::path> clients;  // patterns; empty: those of the file
  std::uint32_t rounds = 0;
  std::uint64_t seed = 0;
  unsigned threads = 0;
  std::uint64_t arrival_seed = 0;
  bool json = false;
};

Result<void> simulate(const CLI::App& command, const Arguments& a) {
  HANSA_TRY(auto config, server::read_federation_config(a.file));
  if (command.count("--rounds") > 0) config.rounds = a.rounds;
  if (command.count("--seed") > 0) config.seed = a.seed;
  if (!a.clients.empty()) {
    HANSA_TRY(config.simulated_clients, server::find_client_files(a.clients, "--clients"));
    if (config.simulated_clients.empty())
      return fail(ErrorCode::usage, "--clients", "matches no file",
                  "for example --clients \"sites/*/client.toml\"");
  }
  simulation::SimulateOptions options;
  options.threads = a.threads;
  if (command.count("--arrival-seed") > 0) options.arrival_seed = a.arrival_seed;
  const auto& stop_asked = stop_on_signals();

  nlohmann::json rounds = nlohmann::json::array();
  const auto round_done = [&](const server::RoundRecord& record, const Metrics& evaluation) {
    const std::uint32_t counted = server::counted_clients(record);
    const Metrics training = server::training_metrics(record);
    if (a.json) {
      nlohmann::json row = {{"round", record.round.value},  {"selected", record.participations.size()},
                            {"counted", counted},           {"seconds", record.seconds},
                            {"model", record.model.text()}, {"training", tools::metrics_json(training)}};
      if (!evaluation.empty()) row["evaluation"] = tools::metrics_json(evaluation);
      if (const auto measured = server::held_out(record)) row["held_out"] = server::held_out_json(*measured);
      rounds.push_back(row);
      return;
    }
    const auto labelled = [](const char* label, const Metrics& metrics) {
      const std::string means = printable(means_text(metrics));
      return means.empty() ? "" : fmt::format("; {}: {}", label, means);
    };
    // Without times of trainings the clock of a simulation shows nothing.
    const std::string took =
        config.simulated_speeds.training_s > 0 ? fmt::format(", {:.1f} s", record.seconds) : "";
    fmt::print("round {:>3}{}: {} of {} clients counted{}{}{}; model {}\n", record.round.value,
               config.rounds > 0 ? fmt::format(" of {}", config.rounds) : "", counted,
               record.participations.size(), took, labelled("training", training),
               labelled("test", evaluation), record.model.brief());
    if (const auto measured = server::held_out(record))
      fmt::print("           held out on the clients, after round {}: {}\n", measured->of_round.value,
                 printable(text_of(*measured)));
    std::fflush(stdout);
  };
  HANSA_TRY(const auto outcome, simulation::run_simulation(config, options, round_done, stop_asked));
  if (a.json) {
    nlohmann::json out = {{"rounds", rounds},
                          {"final_model", outcome.model.text()},
                          {"run_folder", outcome.run_folder},
                          {"seconds", outcome.seconds},
                          {"bytes_up", outcome.bytes_up},
                          {"bytes_down", outcome.bytes_down}};
    if (outcome.best)
      out["best"] = {{"round", outcome.best->round.value},
                     {"metric", outcome.best->metric},
                     {"value", outcome.best->value}};
    if (!outcome.enough.empty()) out["ended_early"] = outcome.enough;
    if (!outcome.evaluation.empty()) out["evaluation"] = tools::metrics_json(outcome.evaluation);
    fmt::print("{}\n", json_text(out));
    return {};
  }
  fmt::print("{:.1f} s, {:.1f} MB up and {:.1f} MB down (in memory)\n", outcome.seconds,
             static_cast<double>(outcome.bytes_up) / 1e6, static_cast<double>(outcome.bytes_down) / 1e6);
  for (const Metric& metric : outcome.training)
    fmt::print("final training {}: {}\n", printable(metric.name), mean_text(metric));
  for (const Metric& metric : outcome.evaluation)
    if (metric.count > 0) fmt::print("final test {}: {}\n", printable(metric.name), mean_text(metric));
  if (!outcome.enough.empty()) fmt::print("ended early: {}\n", outcome.enough);
  if (outcome.best) fmt::print("best: {}\n", printable(text_of(*outcome.best)));
  fmt::print("final model: {}\nrun folder: {}\n", outcome.model.text(), outcome.run_folder);
  return {};
}

}  // namespace

void add_simulate_command(CLI::App& hansa, Outcome& outcome) {
  auto* command = hansa.add_subcommand(simulate_title.name, simulate_title.description);
  const auto a = std::make_shared<Arguments>();
  command->add_option("FILE", a->file, "federation.toml")->required();
  command->add_option("--clients", a->clients,
                      "Override [simulation] clients: client files or patterns, with * and **, in quotes");
  command->add_option("--rounds", a->rounds, "Override [federation] rounds")
      ->check(CLI::Range(1U, 1'000'000U));
  command->add_option("--seed", a->seed, "Override [federation] seed");
  command->add_option("--threads", a->threads, "Clients that train concurrently; 0: one for each core")
      ->check(CLI::Range(0U, 1024U));
  command->add_option("--arrival-seed", a->arrival_seed, "Shuffle the order in which updates are reported");
  command->add_flag("--json", a->json, "Print JSON instead of lines");
  command->footer(
      "Examples:\n  hansa simulate fashion/federation.toml --rounds 5 --threads 2\n"
      "  hansa simulate mine/federation.toml --clients \"mine/sites/hospital-*/client.toml\"");
  command->callback([command, a, &outcome] { outcome = simulate(*command, *a); });
}

}  // namespace hansa::tools
