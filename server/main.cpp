// hansa-aggregator: see run_aggregator.
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "common/command_line/generate.h"
#include "common/program.h"
#include "common/service_manager.h"
#include "common/version/version.h"
#include "protocols/messages/type.h"
#include "server/config/federation_schema.h"
#include "server/config/rounds.h"
#include "server/process/aggregator_process.h"

namespace {

constexpr std::string_view settings_head =
    "# Every key of /etc/hansa/federation.toml, which hansa-aggregator.service reads: federation.toml(5). A "
    "key with '#' "
    "before\n# it is not set. What changes belongs into /var/lib/hansa-aggregator:\n"
    "#   key = \"/var/lib/hansa-aggregator/keys/aggregator.key\"\n"
    "#   admitted = \"/var/lib/hansa-aggregator/admitted\"\n"
    "#   runs = \"/var/lib/hansa-aggregator/runs\"\n"
    "#   archive = \"/var/lib/hansa-aggregator/model.pt\"\n"
    "# Changes of this file have no effect.\n";

hansa::Result<int> run(int argc, char** argv) {
  using hansa::server::ProgressStyle;
  CLI::App app("Aggregates a federation: picks clients, adds up their updates, keeps every round.",
               "hansa-aggregator");
  app.footer(
      "Example:\n  hansa-aggregator federation.toml\n  hansa-aggregator federation.toml --from runs/OLD@7\n"
      "  hansa-aggregator federation.toml --run fashion-20260102-030405\n\n"
      "Environment variables HANSA__TABLE__KEY replace values of the file: docs/configuration.md\n\n"
      "Exit codes: docs/exit-codes.md");
  std::string file, from, named, progress = "auto", log_level, log_format;
  bool fresh = false, health = false, no_dashboard = false;
  app.add_option("FILE", file, "federation.toml")->required();
  auto* new_flag = app.add_flag("--new", fresh, "Start a new run even if the newest one is unfinished");
  app.add_option("--from", from, "RUN@ROUND: start a new run from a committed round of another")
      ->excludes(new_flag);
  app.add_option("--run", named,
                 "Resume this run, which need not be the newest; fails if it cannot be resumed")
      ->excludes(new_flag)
      ->excludes("--from");
  app.add_flag("--health", health,
               "Only say whether the newest run has a committed round: for a container's or supervisor's "
               "health check")
      ->excludes(new_flag);
  app.add_flag("--no-dashboard", no_dashboard,
               "Open no dashboard, whatever [dashboard] says: docs/dashboard.md");
  app.add_option("--progress", progress, "auto, live, plain or none")
      ->check(CLI::IsMember({"auto", "live", "plain", "none"}));
  app.add_option("--log-level", log_level, "debug, info, warning, error or off");
  app.add_option("--log-format", log_format, "text, or json: one object a line");
  app.set_version_flag("--version",
                       hansa::version_text("hansa-aggregator", hansa::messages::protocol_version));
  hansa::command_line::add_generate_option(
      app, {hansa::version(), {"federation.toml(5)", "hansa(1)", "hansa-client(1)"}},
      {&hansa::server::federation_schema(), "federation.toml", settings_head});
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : hansa::exit_code(hansa::ErrorCode::usage);
  }
  HANSA_TRY(const auto format, hansa::choose_log_format(log_format));
  HANSA_TRY(const auto variables, hansa::server::read_federation_variables(environ));
  HANSA_TRY(const auto config, hansa::server::read_federation_config(file, variables));
  if (health) {
    HANSA_TRY(const auto found,
              hansa::server::read_health(config, *hansa::server::open_catalogue(config.runs)));
    std::puts(fmt::format("{}: round {} is committed", found.run,
                          hansa::server::rounds_text(found.last, config.rounds))
                  .c_str());
    return 0;
  }
  hansa::server::AggregatorOptions options;
  options.dashboard = !no_dashboard;
  options.run.from = from;
  options.run.run = named;
  if (fresh) options.run.choice = hansa::server::RunChoice::new_run;
  if (!named.empty()) options.run.choice = hansa::server::RunChoice::resume_named;
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  options.progress = progress == "live" || (progress == "auto" && terminal) ? ProgressStyle::live
                     : progress == "none"                                   ? ProgressStyle::none
                                                                            : ProgressStyle::plain;
  // A live panel owns the terminal, and shows the warnings. The log goes elsewhere, or is silent unless asked for.
  if (log_level.empty() && options.progress == ProgressStyle::live && ::isatty(STDERR_FILENO) == 1)
    log_level = "off";
  HANSA_TRY(const auto level, hansa::choose_log_level(log_level));
  const auto& stop_asked = hansa::stop_on_signals();
  const auto log = hansa::Logger::to_stderr("aggregator", level, format);
  if (!variables.empty()) log.info("settings from the environment: " + variables.names());
  hansa::ServiceManager manager = hansa::ServiceManager::from_environment();
  HANSA_TRY_VOID(hansa::server::run_aggregator(config, options, log, manager, stop_asked));
  return 0;
}
}  // namespace

int main(int argc, char** argv) {
  return hansa::run_program("hansa-aggregator", [&] { return run(argc, argv); });
}
