// Runs one federation of the published tables in this process: tables.py calls it.
//
// Prints a line of JSON for each round, {"round": 3, "seconds": 12.5, "clock": 90.5, "metrics": {"accuracy": 0.8, "loss": 0.5}},
// where seconds is the time since the start, and clock the same on the simulation's clock. Exits with 0 when all rounds are done or schedule.until is reached.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "bench/tables/lying_trainers.h"
#include "common/program.h"
#include "common/time.h"
#include "server/config/federation_config.h"
#include "simulation/simulate.h"

namespace {

struct Arguments {
  std::string file;
  std::uint64_t seed = 0;
  unsigned threads = 0;
  std::vector<std::string> sign, reversed, gaussian;  // names of clients
};

hansa::Result<void> run(const Arguments& a) {
  using namespace hansa;
  HANSA_TRY(auto config, server::read_federation_config(a.file));
  config.seed = a.seed;
  simulation::SimulateOptions options;
  options.threads = a.threads;
  options.wrap_trainer = [&](const std::string& client, std::shared_ptr<learning::Trainer> trainer) {
    const auto is_in = [&](const std::vector<std::string>& names) {
      return std::ranges::find(names, client) != names.end();
    };
    if (is_in(a.sign)) return bench::make_lying(bench::Lie::sign, std::move(trainer));
    if (is_in(a.reversed)) return bench::make_lying(bench::Lie::reversed, std::move(trainer));
    if (is_in(a.gaussian)) return bench::make_lying(bench::Lie::gaussian, std::move(trainer));
    return trainer;
  };
  const Instant began = steady_now();
  double clock_s = 0;
  const auto round_done = [&](const server::RoundRecord& record, const Metrics& metrics) {
    std::string text;
    clock_s += record.seconds;
    for (const Metric& metric : metrics)
      if (metric.count > 0)
        text +=
            fmt::format("{}\"{}\": {:.6f}", text.empty() ? "" : ", ", metric.name, metric.sum / metric.count);
    fmt::print("{{\"round\": {}, \"seconds\": {:.1f}, \"clock\": {:.1f}, \"metrics\": {{{}}}}}\n",
               record.round.value, seconds(steady_now() - began), clock_s, text);
    std::fflush(stdout);
  };
  HANSA_TRY_VOID(simulation::run_simulation(config, options, round_done, stop_on_signals()));
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs one federation of the published tables.");
  Arguments a;
  app.add_option("FILE", a.file, "federation.toml")->required();
  app.add_option("--seed", a.seed, "Overrides federation.seed")->required();
  app.add_option("--threads", a.threads, "Clients that train concurrently; 0: one for each core");
  app.add_option("--sign", a.sign, "Clients that send minus their change");
  app.add_option("--reversed", a.reversed, "Clients that send minus ten times their change");
  app.add_option("--gaussian", a.gaussian, "Clients that send noise");
  CLI11_PARSE(app, argc, argv);
  if (const auto done = run(a); !done) {
    fmt::print(stderr, "{}\n", done.error().text());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
