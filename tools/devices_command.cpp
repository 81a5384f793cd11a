// hansa devices: the register of devices, and what the operator does with one.
#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/text.h"
#include "tools/commands.h"
#include "server/control/device_control.h"
#include "tools/device_report.h"
#include "tools/federation_folder.h"
#include "tools/json_text.h"

namespace hansa::tools {
namespace {

using server::Released;

struct DevicesOptions {
  std::filesystem::path folder = ".";
  std::string name, text;
  bool json = false;
};

struct Opened {
  server::FederationConfig config;
  server::Acting acting;
  server::DeviceRegister devices;
  server::DeviceHistory history;
};
Result<Opened> open(const DevicesOptions& options) {
  HANSA_TRY(auto config, read_federation_folder(options.folder));
  server::Acting acting = server::acting_operator(utc_seconds_now());
  HANSA_TRY(auto devices, open_register(config, acting));
  HANSA_TRY(auto history, open_history(config));
  return Opened{std::move(config), std::move(acting), std::move(devices), std::move(history)};
}

void print(const nlohmann::json& document) { fmt::print("{}\n", json_text(document)); }

// Those of the terminal; 80 where there is none, for example in a pipe.
std::size_t terminal_columns() {
  winsize size{};
  constexpr std::size_t usual = 80;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return usual;
  return size.ws_col;
}

Result<void> run_list(const DevicesOptions& options) {
  HANSA_TRY(Opened opened, open(options));
  HANSA_TRY(const auto rows, read_devices(opened.devices, opened.history));
  const UtcSeconds now = opened.acting.at;
  if (!options.json) {
    fmt::print("{}", device_table(rows, now, terminal_columns()));
    return {};
  }
  nlohmann::json list = nlohmann::json::array();
  for (const DeviceRow& row : rows) list.push_back(json_of(row, now));
  print(list);
  return {};
}

Result<void> run_show(const DevicesOptions& options) {
  HANSA_TRY(Opened opened, open(options));
  HANSA_TRY(const auto rows, read_devices(opened.devices, opened.history));
  const auto found =
      std::ranges::find_if(rows, [&](const DeviceRow& row) { return row.device.name == options.name; });
  if (found == rows.end())
    return fail(ErrorCode::usage, options.name, "is not a device of this federation",
                "\"hansa devices\" lists the devices");
  if (options.json) print(json_of(*found, opened.acting.at));
  else fmt::print("{}", device_text(*found, opened.acting.at));
  return {};
}

Result<void> run_rename(const DevicesOptions& options) {
  HANSA_TRY(Opened opened, open(options));
  HANSA_TRY_VOID(opened.devices.set_label(options.name, options.text, opened.acting));
  fmt::print("{} has the label \"{}\"\n", options.name, printable(options.text));
  return {};
}

Result<void> run_revoke(const DevicesOptions& options) {
  HANSA_TRY(Opened opened, open(options));
  HANSA_TRY_VOID(revoke(opened.config, options.name, options.text, opened.devices, opened.acting));
  fmt::print(
      "{} is revoked: its key is refused for ever. An aggregator that runs ends its connection within a "
      "second.\n"
      "Its certificate holds for other clients until it expires; to end all earlier ones at once, see\n"
      "\"hansa keys certify --help\" about --epoch.\n",
      options.name);
  return {};
}

Result<void> run_quarantine(const DevicesOptions& options) {
  HANSA_TRY(Opened opened, open(options));
  HANSA_TRY_VOID(quarantine(opened.config, options.name, options.text, opened.devices, opened.acting));
  fmt::print("{0} is quarantined: it cannot connect until \"hansa devices release {0}\"\n", options.name);
  return {};
}

Result<void> run_release(const DevicesOptions& options) {
  HANSA_TRY(Opened opened, open(options));
  HANSA_TRY(const Released released,
            release(opened.config, options.name, opened.devices, opened.history, opened.acting));
  if (released.quarantine) fmt::print("{} is admitted again\n", options.name);
  if (released.faults)
    fmt::print("the faults of {} are forgotten: it may take part in cohorts again\n", options.name);
  return {};
}

using Run = Result<void> (*)(const DevicesOptions&);
CLI::App* add_named(CLI::App& devices, const char* word, const char* meaning, const char* example,
                    const std::shared_ptr<DevicesOptions>& options, Run run, bool& chosen, Outcome& outcome) {
  CLI::App* command = devices.add_subcommand(word, meaning);
  command->footer(std::string("Example, in a federation's folder:\n  ") + example);
  command->add_option("NAME", options->name, "Name of the device")->required();
  command->add_option("--folder", options->folder, "The federation's folder")->capture_default_str();
  command->callback([options, run, &chosen, &outcome] {
    chosen = true;
    outcome = run(*options);
  });
  return command;
}

}  // namespace

void add_devices_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command =
      hansa.add_subcommand("devices", "List the federation's devices, and revoke or quarantine one");
  command->require_subcommand(0, 1);
  command->footer(
      "Examples, in a federation's folder:\n  hansa devices\n  hansa devices show LINE-7\n"
      "  hansa devices revoke LINE-7 --reason stolen");
  auto options = std::make_shared<DevicesOptions>();
  auto chosen = std::make_shared<bool>(false);
  command->add_option("--folder", options->folder, "The federation's folder")->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, chosen, &outcome] {
    if (!*chosen) outcome = run_list(*options);
  });

  add_named(*command, "show", "Show all that is known of a device", "hansa devices show LINE-7", options,
            run_show, *chosen, outcome)
      ->add_flag("--json", options->json, "Print JSON");
  add_named(*command, "rename", "Give a device another label; its name is in its certificate and stays",
            "hansa devices rename LINE-7 \"pump hall, left\"", options, run_rename, *chosen, outcome)
      ->add_option("LABEL", options->text, "A text for people")
      ->required();
  add_named(*command, "revoke", "Refuse a device's key for ever, for example because it was stolen",
            "hansa devices revoke LINE-7 --reason stolen", options, run_revoke, *chosen, outcome)
      ->add_option("--reason", options->text, "For the audit log");
  add_named(*command, "quarantine", "Keep a device out until it is released",
            "hansa devices quarantine LINE-7 --reason \"strange updates\"", options, run_quarantine, *chosen,
            outcome)
      ->add_option("--reason", options->text, "For the audit log");
  add_named(*command, "release",
            "Admit a quarantined device again, and forget the faults for which a device is left out",
            "hansa devices release LINE-7", options, run_release, *chosen, outcome);
}

}  // namespace hansa::tools
