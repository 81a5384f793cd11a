// hansa-client: the client with a trainer in a process of its own. This program does not link LibTorch.
#include <CLI/CLI.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "client/commands.h"
#include "client/config/client_config.h"
#include "client/config/client_schema.h"
#include "client/config/client_variables.h"
#include "client/config/secret_files.h"
#include "client/join/first_start.h"
#include "client/process/client_process.h"
#include "client/process/core_dumps.h"
#include "client/state/client_data.h"
#include "client/trainer/process_trainer.h"
#include "common/command_line/generate.h"
#include "common/program.h"
#include "common/service_manager.h"
#include "common/version/version.h"
#include "protocols/messages/type.h"

namespace {

using namespace hansa::client;

constexpr std::string_view settings_head =
    "# Every key of /etc/hansa/client.toml, which hansa-client.service reads: hansa-client.toml(5). A key "
    "with '#' before "
    "it\n# is not set. The device's key and state belong into /var/lib/hansa-client:\n"
    "#   key = \"/var/lib/hansa-client/client.key\"\n"
    "#   state = \"/var/lib/hansa-client/state\"\n"
    "# Changes of this file have no effect.\n";

hansa::Result<void> run_with_child(const ClientConfig& config, SandboxMode sandbox, const hansa::Logger& log,
                                   hansa::ServiceManager& manager, const std::atomic<bool>& stop) {
  const auto open = [&](const hansa::learning::DataConfig& file) {
    return open_examples_in_child(file, {config.resources.trainer_stall, [&stop] { return stop.load(); },
                                         sandbox, secret_files(config)});
  };
  HANSA_TRY(ClientData data, open_client_data(config, KeepState::in_folder, open, nullptr));
  ProcessTrainerConfig trainer_config;
  if (data.followed) trainer_config.data = data.supply;
  else trainer_config.data = config.data;
  trainer_config.scale = config.data.scale;
  trainer_config.threads = config.resources.threads;
  trainer_config.task_bytes_max = config.resources.memory_mib_max << 20;
  trainer_config.limits = {config.resources.trainer_memory_mib_max << 20, config.resources.trainer_cpu_s_max,
                           config.resources.trainer_stall};
  trainer_config.sandbox = sandbox;
  trainer_config.secret = secret_files(config);
  ProcessTrainer trainer(std::move(trainer_config), log);
  data.supply = trainer.reported_data();
  return run_client(config, data, trainer, &trainer, log, manager, stop);
}

hansa::Result<int> run(int argc, char** argv) {
  CLI::App app(
      "Trains on this device's data for a federation and sends updates of the model, never an example.",
      "hansa-client");
  app.footer(
      "Examples:\n  hansa-client join TOKEN           # enrol this device\n  hansa-client client.toml\n"
      "  hansa-client check client.toml    # why does it not connect?\n"
      "  hansa-client rotate client.toml   # change this device's key\n\n"
      "Environment variables HANSA__TABLE__KEY replace values of the file: docs/configuration.md\n\n"
      "Exit codes: docs/exit-codes.md");
  std::string file, log_level, log_format;
  app.add_option("FILE", file, "client.toml");
  app.add_option("--log-level", log_level, "debug, info, warning, error or off");
  app.add_option("--log-format", log_format, "text, or json: one object a line");
  bool no_sandbox = false;
  app.add_flag("--no-sandbox", no_sandbox,
               "for development: train without the sandbox; a model's code may then do what this user may");
  app.set_version_flag("--version", hansa::version_text("hansa-client", hansa::messages::protocol_version));
  CommandOutcome outcome;
  add_accept_command(app, outcome);
  add_check_command(app, outcome);
  add_join_command(app, outcome);
  add_rotate_command(app, outcome);
  hansa::command_line::add_generate_option(
      app, {hansa::version(), {"hansa-client.toml(5)", "hansa(1)", "hansa-aggregator(1)"}},
      {&client_schema(), "hansa-client.toml", settings_head});
  HANSA_TRY_VOID(forbid_core_dumps());
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : hansa::exit_code(hansa::ErrorCode::usage);
  }
  if (outcome.chosen) return outcome.exit_code;
  if (file.empty())
    return hansa::fail(hansa::ErrorCode::usage, "", "FILE is missing",
                       "name the device's configuration: hansa-client client.toml");
  HANSA_TRY(const auto format, hansa::choose_log_format(log_format));
  ::umask(077);  // the state may hold examples
  HANSA_TRY(const auto variables, read_client_variables(environ));
  HANSA_TRY(const auto level, hansa::choose_log_level(log_level));
  const auto& stop_asked = hansa::stop_on_signals();
  const hansa::Logger log = hansa::Logger::to_stderr("client", level, format);
  if (!variables.empty()) log.info("settings from the environment: " + variables.names());
  auto joined = join_at_first_start(
      file, variables, [&](const std::string& text) { log.info(text); }, stop_asked);
  if (!joined && stop_asked) {
    log.info("stops before it has joined", {.event = hansa::LogEvent::program_stopping});
    return 0;
  }
  HANSA_TRY_VOID(std::move(joined));
  HANSA_TRY(const auto config, read_client_config(file, variables));
  hansa::ServiceManager manager = hansa::ServiceManager::from_environment();
  HANSA_TRY_VOID(run_with_child(config, no_sandbox ? SandboxMode::unlocked : SandboxMode::locked,
                                log.with_client(config.name), manager, stop_asked));
  return 0;
}
}  // namespace

int main(int argc, char** argv) {
  return hansa::run_program("hansa-client", [&] { return run(argc, argv); });
}
