#include "server/process/aggregator_process.h"

#include <algorithm>
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "common/entropy.h"
#include "common/utc.h"
#include "server/config/dashboard_config.h"
#include "server/config/devices_config.h"
#include "server/config/output_config.h"
#include "server/config/rounds.h"
#include "server/divergence/run_watch.h"
#include "server/output/output_writer.h"
#include "server/process/internal/aggregator_key.h"
#include "server/process/internal/dashboard.h"
#include "server/process/internal/host.h"
#include "server/process/internal/rounds_phase.h"
#include "server/process/internal/run_errors.h"
#include "server/process/internal/statistics_phase.h"

namespace hansa::server {
namespace {

// Which run it is and why, and what a resumed run has: its last rounds, its last evaluation and its best round.
Result<void> show_run(const FederationConfig& config, const PreparedRun& run, const RunWatch& watch,
                      ProgressStyle progress, internal::Host& host) {
  ProgressDisplay& display = host.display();
  display.say(fmt::format("run folder: {}", run.store->location()));
  const std::string beginning = run.resumed
                                    ? fmt::format("run {}: continuing after round {}, because {}", run.run,
                                                  rounds_text(run.position, config.rounds), run.why)
                                    : fmt::format("run {}: new, because {}", run.run, run.why);
  const LogFields fields{.event = LogEvent::run_started};
  if (progress == ProgressStyle::none) {
    host.log().info(beginning, fields);
  } else {
    display.say(beginning);
    host.log().note(beginning, fields);
  }
  constexpr std::size_t rounds_shown = 12;
  HANSA_TRY(const auto rounds, run.store->rounds());
  for (std::size_t i = rounds.size() - std::min(rounds.size(), rounds_shown); i < rounds.size(); ++i)
    display.restored(rounds[i]);
  HANSA_TRY(const auto evaluations, run.store->evaluations());
  for (const auto& [round, metrics] : evaluations) display.restored_evaluation(round, metrics);
  display.set_best(watch.best());
  return {};
}

// What the engine of the statistics and that of the rounds have in common.
Result<EngineConfig> engine_config_of(const PreparedRun& run, internal::Host& host) {
  EngineConfig out;
  out.run = run.run;
  out.coordinator = run.coordinator;
  out.coordinator.settings.admitted = host.admitted();
  out.certificate = [&host](const std::string& client) { return host.certificate(client); };
  // Different at every call, so that session numbers never repeat.
  HANSA_TRY(out.coordinator.process.session_seed, unpredictable_number());
  out.archive = run.archive;
  out.layer_sizes = run.layer_sizes;
  out.wall_clock = [] { return rfc3339_text(utc_seconds_now()); };
  out.coordinator.process.is_first_start = !run.resumed;
  out.coordinator.process.time_of_day = utc_seconds_now;
  return out;
}

// Without the clients' statistics there is nothing to continue.
void remove_unbegun(PreparedRun& run) {
  const std::filesystem::path folder = run.store->location();
  run.store.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

// Begins a run that needs the statistics of the clients' data. Returns false if it was stopped before they were known.
Result<bool> begin_with_statistics(const FederationConfig& config, PreparedRun& run, internal::Host& host,
                                   const std::atomic<bool>& stop) {
  host.display().say(
      fmt::format("first, the statistics of {} columns of the clients' data", config.statistics->columns));
  HANSA_TRY(auto engine, engine_config_of(run, host));
  auto statistics = internal::gather_statistics(config, run, std::move(engine), host, stop);
  if (statistics && *statistics) {
    HANSA_TRY_VOID(begin(run, config, **statistics));
    return true;
  }
  host.display().end();
  remove_unbegun(run);
  if (!statistics) return tl::unexpected<Error>(std::move(statistics).error());
  std::puts(
      fmt::format("stopped before the statistics of the clients' data were known; run \"hansa-aggregator "
                  "{}\" to begin again",
                  config.file.string())
          .c_str());
  std::fflush(stdout);
  return false;
}

// The dashboard as long as the program runs, also with another key.
struct OpenedDashboard {
  std::unique_ptr<internal::Dashboard> opened;  // null: there is none
  std::filesystem::path token_file;
  std::string problem;  // why it could not be opened
};

// Whatever is wrong with the dashboard, the rounds do not need it.
Result<OpenedDashboard> open_dashboard(const FederationConfig& config, const AggregatorOptions& options,
                                       const Logger& log) {
  OpenedDashboard out;
  HANSA_TRY(const auto dashboard, read_dashboard_config(config.file, config.variables));
  if (!dashboard || !options.dashboard) return out;
  out.token_file = dashboard->token_file;
  auto opened = internal::Dashboard::open(*dashboard, config, log);
  if (opened) out.opened = std::move(*opened);
  else out.problem = opened.error().text();
  return out;
}

// The token is shown on a terminal only: stdout may be a file or the journal, which others read.
void show_dashboard(const OpenedDashboard& dashboard, internal::Host& host) {
  if (!dashboard.problem.empty()) host.warn()("there is no dashboard: " + dashboard.problem);
  if (!dashboard.opened) return;
  host.log().info("dashboard at " + dashboard.opened->address());
  host.display().say("dashboard: " +
                     (::isatty(STDOUT_FILENO) == 1
                          ? dashboard.opened->address_with_token()
                          : dashboard.opened->address() + " (token: " + dashboard.token_file.string() + ")"));
}

// The aggregator continues with another key: this run, at these addresses.
struct Continuation {
  std::string run;
  internal::Endpoints endpoints;
};

// Empty: the federation is finished, or a stop was asked for.
Result<std::optional<Continuation>> run_with_key(const FederationConfig& config, const DevicesConfig& devices,
                                                 const AggregatorOptions& options,
                                                 const internal::Endpoints& bind,
                                                 const OpenedDashboard& dashboard, const Logger& log,
                                                 ServiceManager& manager, const std::atomic<bool>& stop) {
  const Instant started = steady_now();
  const internal::AggregatorKey aggregator_key(config.key, devices.statements, config.name, config.root);
  HANSA_TRY(const auto key, aggregator_key.read(utc_seconds_now(), [&log](const std::string& text) {
    log.warning(text, {.event = LogEvent::keys_refused});
  }));
  if (admitted_names(config.admitted).empty() && !devices.enrolment)
    return fail(ErrorCode::usage, config.admitted.string(), "admits no client: it holds no NAME.pub",
                "make a key with \"hansa keys generate NAME\" and copy NAME.pub there");
  HANSA_TRY(const OutputConfig output_config, read_output_config(config.file, config.variables));
  HANSA_TRY(auto run,
            prepare_run(config, *open_catalogue(config.runs), options.run, describe_archive_in_child));
  RunWatch watch({config.divergence, config.best_metric, config.until, config.evaluation.has_value(),
                  config.client_evaluation.has_value()});
  HANSA_TRY(const auto past_problems, watch.restore(*run.store));
  if (!past_problems.empty() && watch.is_certain() && config.divergence.action == DivergenceAction::stop)
    return internal::fail_diverged(config, run, divergence_text(run.position, past_problems), watch.best());
  // Before the clients are asked for anything, if the evaluation needs no statistics of theirs.
  std::unique_ptr<BackgroundEvaluator> evaluator;
  const auto start_evaluator = [&]() -> Result<void> {
    HANSA_TRY(evaluator,
              BackgroundEvaluator::start(run.archive, *config.evaluation, config.evaluation_threads,
                                         config.personal, run.statistics));
    return {};
  };
  const bool is_scaled = config.evaluation && config.evaluation->scale == learning::Scaling::federation;
  if (config.evaluation && !is_scaled) HANSA_TRY_VOID(start_evaluator());

  HANSA_TRY(const auto host, internal::Host::open({config, devices, aggregator_key, key, bind, options, log,
                                                   manager, dashboard.opened.get()}));
  show_dashboard(dashboard, *host);
  HANSA_TRY_VOID(show_run(config, run, watch, options.progress, *host));
  HANSA_TRY_VOID(host->start_enrolment());
  for (const std::string& note : run.notes) host->warn()(note);
  manager.ready();
  if (run.unbegun) {
    HANSA_TRY(const bool has_begun, begin_with_statistics(config, run, *host, stop));
    if (!has_begun) return std::nullopt;
  }
  if (is_scaled) HANSA_TRY_VOID(start_evaluator());

  HANSA_TRY(auto engine, engine_config_of(run, *host));
  engine.optimizer = run.optimizer;
  engine.initial_state = run.initial_state;
  if (!run.statistics.empty())
    engine.constants.push_back(
        {std::string(statistics_input), std::make_shared<const std::vector<float>>(run.statistics)});
  std::unique_ptr<OutputWriter> output;
  if (!output_config.tensorboard.empty())
    output = std::make_unique<OutputWriter>(run.store->location(), output_config.tensorboard);
  HANSA_TRY(const auto rounds,
            internal::RoundsPhase::create({config, run, watch, *host, aggregator_key, output.get()},
                                          std::move(engine), std::move(evaluator)));
  HANSA_TRY(const internal::PhaseEnd end, rounds->run(stop, started));
  if (end == internal::PhaseEnd::over) return std::nullopt;
  return Continuation{run.run, host->endpoints()};
}

}  // namespace

Result<void> run_aggregator(const FederationConfig& config, const AggregatorOptions& options,
                            const Logger& log, ServiceManager& manager, const std::atomic<bool>& stop) {
  HANSA_TRY(const DevicesConfig devices, read_devices_config(config.file, config.variables));
  AggregatorOptions next = options;
  HANSA_TRY(const auto dashboard, open_dashboard(config, options, log));
  internal::Endpoints bind{config.bind, devices.enrolment ? devices.enrolment->bind : std::string()};
  for (;;) {
    HANSA_TRY(auto continues, run_with_key(config, devices, next, bind, dashboard, log, manager, stop));
    if (!continues) return {};
    next.run = {};
    next.run.choice = RunChoice::resume_named;
    next.run.run = continues->run;
    bind = std::move(continues->endpoints);
  }
}

}  // namespace hansa::server
