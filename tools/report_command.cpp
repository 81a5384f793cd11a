// hansa report: a run as one HTML page.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/files.h"
#include "common/folder_lock.h"
#include "common/utc.h"
#include "server/register/device_history.h"
#include "server/register/device_register.h"
#include "tools/report/report.h"
#include "tools/run_settings.h"
#include "tools/view_commands.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;

struct ReportOptions {
  fs::path run;
  fs::path out;
  fs::path device_register;
};

RunState state_of(const server::RunView& view) {
  if (is_folder_locked(view.folder)) return RunState::running;
  return view.end ? RunState::finished : RunState::stopped;
}

Result<std::vector<DeviceRow>> read_register(const fs::path& file) {
  std::error_code error;
  // Opening a register makes one.
  if (!fs::is_regular_file(file, error))
    return fail(ErrorCode::usage, file.string(), "is no register of devices",
                "[aggregator] register of federation.toml names it: devices.sqlite");
  HANSA_TRY(auto devices, server::DeviceRegister::open(file));
  HANSA_TRY(auto history, server::DeviceHistory::open(file));
  return read_devices(devices, history);
}

Result<void> run_report(const ReportOptions& options) {
  HANSA_TRY(const fs::path folder, find_run(options.run));
  HANSA_TRY(const auto view, server::read_run_view(folder));
  ReportContent content{view, state_of(view), settings_of(view), {}, utc_seconds_now()};
  if (!options.device_register.empty()) {
    HANSA_TRY(content.devices, read_register(options.device_register));
  }
  HANSA_TRY_VOID(write_file_atomically(options.out, report_html(content)));
  fmt::print("{}\n", options.out.string());
  return {};
}

}  // namespace

void add_report_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command = hansa.add_subcommand(
      "report", "Write a run as one HTML page, with plots, tables and the configuration");
  command->footer(
      "The page opens without a network and without scripts, and prints well. It names clients and paths: "
      "look at it "
      "before you pass it on.\n"
      "Examples:\n  hansa report runs -o report.html\n"
      "  hansa report runs/mine-20260101-120000 -o report.html --register devices.sqlite");
  auto options = std::make_shared<ReportOptions>();
  command
      ->add_option("RUN", options->run,
                   "A run folder; for the newest run, the folder of runs or the federation's folder")
      ->required();
  command->add_option("-o,--out", options->out, "File to write")->required()->type_name("FILE");
  command->add_option("--register", options->device_register, "Add the devices of this register")
      ->type_name("FILE");
  command->callback([options, &outcome] { outcome = run_report(*options); });
}

}  // namespace hansa::tools
