// hansa devices: the register of devices, and what the operator does with one.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/text.h"
#include "protocols/enrolment/device_file.h"
#include "tools/commands.h"
#include "tools/device_control.h"
#include "tools/federation_folder.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

using server::Device;

struct DevicesOptions {
  std::filesystem::path folder = ".";
  std::string name, text;
  bool json = false;
};

struct Opened {
  server::FederationConfig config;
  server::Acting acting;
  server::DeviceRegister devices;
};
Result<Opened> open(const DevicesOptions& options) {
  HANSA_TRY(auto config, read_federation_folder(options.folder));
  server::Acting acting = server::acting_operator(utc_seconds_now());
  HANSA_TRY(auto devices, open_register(config, acting));
  return Opened{std::move(config), std::move(acting), std::move(devices)};
}

std::string time_text(const std::optional<UtcSeconds>& time) { return time ? rfc3339_text(*time) : "-"; }

nlohmann::json json_of(const Device& device) {
  nlohmann::json out{{"name", device.name},
                     {"label", device.label},
                     {"state", name(device.state)},
                     {"key", device.key.text()},
                     {"identity", enrolment::text_of(device.identity)},
                     {"since", rfc3339_text(device.since)},
                     {"software", device.activity.software},
                     {"examples", device.activity.examples},
                     {"rounds_counted", device.activity.counted},
                     {"rounds_lost", device.activity.lost},
                     {"lost_why", device.activity.lost_why}};
  if (device.activity.last_seen) out["last_seen"] = rfc3339_text(*device.activity.last_seen);
  if (device.certificate) out["certificate_expires"] = rfc3339_text(device.certificate->validity.expires);
  return out;
}

void print(const nlohmann::json& document) {
  fmt::print("{}\n", document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

Result<void> run_list(const DevicesOptions& options) {
  HANSA_TRY(Opened opened, open(options));
  HANSA_TRY(const auto devices, opened.devices.devices());
  if (options.json) {
    nlohmann::json list = nlohmann::json::array();
    for (const Device& device : devices) list.push_back(json_of(device));
    print(list);
    return {};
  }
  TextTable table({{"name", Align::left},
                   {"label", Align::left},
                   {"state", Align::left},
                   {"last seen", Align::left},
                   {"software", Align::left},
                   {"examples"},
                   {"counted"},
                   {"lost"}});
  for (const Device& device : devices)
    table.add_row({device.name, printable(device.label), std::string(name(device.state)),
                   time_text(device.activity.last_seen), printable(device.activity.software),
                   std::to_string(device.activity.examples), std::to_string(device.activity.counted),
                   std::to_string(device.activity.lost)});
  fmt::print("{}", table.text());
  return {};
}

Result<void> run_show(const DevicesOptions& options) {
  HANSA_TRY(Opened opened, open(options));
  HANSA_TRY(const auto device, opened.devices.find(options.name));
  if (!device)
    return fail(ErrorCode::usage, options.name, "is not a device of this federation",
                "\"hansa devices\" lists the devices");
  if (options.json) {
    print(json_of(*device));
    return {};
  }
  const auto line = [](const char* title, const std::string& text) {
    fmt::print("{:<12} {}\n", title, text.empty() ? "-" : printable(text));
  };
  line("name", device->name);
  line("label", device->label);
  line("state", std::string(name(device->state)));
  line("key", device->key.text());
  line("identity", enrolment::text_of(device->identity));
  line("since", rfc3339_text(device->since));
  line("last seen", time_text(device->activity.last_seen));
  line("software", device->activity.software);
  line("examples", std::to_string(device->activity.examples));
  line("counted", fmt::format("in {} rounds", device->activity.counted));
  line("lost", fmt::format("in {} rounds", device->activity.lost));
  line("last loss", device->activity.lost_why);
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
  HANSA_TRY_VOID(release(opened.config, options.name, opened.devices, opened.acting));
  fmt::print("{} is admitted again\n", options.name);
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
  add_named(*command, "release", "Admit a quarantined device again", "hansa devices release LINE-7", options,
            run_release, *chosen, outcome);
}

}  // namespace hansa::tools
