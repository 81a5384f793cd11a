// hansa-client: the client with a trainer in a process of its own. This program does not link LibTorch.
#include <CLI/CLI.hpp>
#include <sys/stat.h>

#include "client/config/client_config.h"
#include "client/process/client_process.h"
#include "client/process/core_dumps.h"
#include "client/state/client_data.h"
#include "client/trainer/process_trainer.h"
#include "common/program.h"

namespace {

using namespace hansa::client;

hansa::Result<void> run_with_child(const ClientConfig& config, SandboxMode sandbox, hansa::LogLevel level,
                                   const std::atomic<bool>& stop) {
  const auto open = [&](const hansa::learning::DataConfig& file) {
    return open_examples_in_child(file, config.resources.trainer_stall, [&stop] { return stop.load(); });
  };
  HANSA_TRY(ClientData data, open_client_data(config, KeepState::in_folder, open, nullptr));
  ProcessTrainerConfig trainer_config;
  if (data.followed) trainer_config.data = data.supply;
  else trainer_config.data = config.data;
  trainer_config.threads = config.resources.threads;
  trainer_config.task_bytes_max = config.resources.memory_mib_max << 20;
  trainer_config.limits = {config.resources.trainer_memory_mib_max << 20, config.resources.trainer_cpu_s_max,
                           config.resources.trainer_stall};
  trainer_config.sandbox = sandbox;
  const hansa::Logger log = hansa::Logger::to_stderr(config.name, level);
  ProcessTrainer trainer(std::move(trainer_config), log);
  data.supply = trainer.reported_data();
  return run_client(config, data, trainer, &trainer, log, stop);
}

hansa::Result<int> run(int argc, char** argv) {
  CLI::App app(
      "Trains on this device's data for a federation and sends updates of the model, never an example.");
  app.footer("Example:\n  hansa-client client.toml\n\nExit codes: docs/exit-codes.md");
  std::string file, log_level;
  app.add_option("FILE", file, "client.toml")->required();
  app.add_option("--log-level", log_level, "debug, info, warning, error or off");
  bool no_sandbox = false;
  app.add_flag("--no-sandbox", no_sandbox,
               "for development: train without the sandbox; a model's code may then do what this user may");
  app.set_version_flag("--version", HANSA_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : hansa::exit_code(hansa::ErrorCode::usage);
  }
  HANSA_TRY_VOID(forbid_core_dumps());
  ::umask(077);  // the state may hold examples
  HANSA_TRY(const auto config, read_client_config(file));
  HANSA_TRY(const auto level, hansa::choose_log_level(log_level));
  const auto& stop_asked = hansa::stop_on_signals();
  HANSA_TRY_VOID(
      run_with_child(config, no_sandbox ? SandboxMode::unlocked : SandboxMode::locked, level, stop_asked));
  return 0;
}
}  // namespace

int main(int argc, char** argv) {
  return hansa::run_program("hansa-client", [&] { return run(argc, argv); });
}
