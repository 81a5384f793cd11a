// hansa-client check: why a device does not connect or cannot train, one line for each check.
#include <cstdio>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "client/check/checks.h"
#include "client/check/report.h"
#include "client/commands.h"
#include "client/config/client_variables.h"
#include "client/config/secret_files.h"
#include "client/state/client_data.h"
#include "client/trainer/process_trainer.h"

namespace hansa::client {
namespace {

// The data of the device, and a trainer that has it open.
class DeviceData {
 public:
  // Data that arrives is read into a state in memory, so that nothing of it counts as consumed.
  Result<learning::AvailableData> open(const ClientConfig& config) {
    if (config.follow) {
      const auto open = [&](const learning::DataConfig& file) {
        return open_examples_in_child(
            file, {config.resources.trainer_stall, nullptr, SandboxMode::locked, secret_files(config)});
      };
      HANSA_TRY(const ClientData data, open_client_data(config, KeepState::in_memory, open, nullptr));
      HANSA_TRY_VOID(data.followed->take_all());
      return data.supply->available();
    }
    ProcessTrainerConfig trainer_config;
    trainer_config.data = config.data;
    trainer_config.scale = config.data.scale;
    trainer_config.threads = config.resources.threads;
    trainer_config.task_bytes_max = config.resources.memory_mib_max << 20;
    trainer_config.limits = {config.resources.trainer_memory_mib_max << 20,
                             config.resources.trainer_cpu_s_max, config.resources.trainer_stall};
    trainer_config.secret = secret_files(config);
    trainer_ = std::make_unique<ProcessTrainer>(std::move(trainer_config), Logger());
    return trainer_->available_data({});
  }

  // After open(), of data that does not arrive.
  Result<ModelFit> try_model(const std::filesystem::path& archive) {
    auto step = trainer_->try_step(archive);
    trainer_.reset();  // its memory is free again
    if (!step) return tl::unexpected<Error>(std::move(step).error());
    return ModelFit{step->values, step->peak_memory_bytes, std::move(step->warnings)};
  }

 private:
  std::unique_ptr<ProcessTrainer> trainer_;
};

struct CheckOptions {
  std::filesystem::path file = "client.toml";
  bool json = false;
};

Result<int> run_check(const CheckOptions& options) {
  ::umask(077);  // the state folder may be created
  CheckTools tools;
  HANSA_TRY(tools.variables, read_client_variables(environ));
  DeviceData data;
  tools.open_data = [&data](const ClientConfig& config) { return data.open(config); };
  tools.try_model = [&data](const ClientConfig&, const std::filesystem::path& archive) {
    return data.try_model(archive);
  };
  const auto findings = check_device(options.file, tools);
  const Colour colour = ::isatty(STDOUT_FILENO) == 1 ? Colour::ansi : Colour::none;
  std::fputs((options.json ? report_json(findings) : report_text(findings, colour)).c_str(), stdout);
  return exit_code_of(findings);
}

}  // namespace

void add_check_command(CLI::App& app, CommandOutcome& outcome) {
  CLI::App* check = app.add_subcommand(
      "check", "Say why this device does not connect or cannot train: a line for each check, with a hint");
  check->footer(
      "Examples, in the device's folder:\n  hansa-client check\n  hansa-client check client.toml --json\n\n"
      "Changes nothing. Exits with 0 if every check passed, otherwise with the code of the first failed "
      "one:\n"
      "docs/exit-codes.md");
  auto options = std::make_shared<CheckOptions>();
  check->add_option("FILE", options->file, "client.toml")->capture_default_str();
  check->add_flag("--json", options->json, "Print JSON");
  check->callback([options, &outcome] { outcome = {true, run_check(*options)}; });
}

}  // namespace hansa::client
