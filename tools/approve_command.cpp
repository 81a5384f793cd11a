// hansa approve: decides about devices that ask to join.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "protocols/enrolment/device_file.h"
#include "tools/approval.h"
#include "tools/commands.h"
#include "tools/federation_folder.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

struct ApproveOptions {
  std::filesystem::path folder = ".";
  std::filesystem::path root, export_to, import_from;
  std::vector<std::string> names;
  std::string identity;
  ApprovalTerms terms;
  bool all = false, deny = false;
};

Result<std::vector<std::string>> pending_names(server::DeviceRegister& devices) {
  HANSA_TRY(const auto all, devices.devices());
  std::vector<std::string> out;
  for (const auto& device : all)
    if (device.state == server::DeviceState::pending) out.push_back(device.name);
  return out;
}

Result<void> print_pending(server::DeviceRegister& devices) {
  HANSA_TRY(const auto all, devices.devices());
  TextTable table({{"name", Align::left}, {"asked at", Align::left}, {"identity", Align::left}});
  std::size_t count = 0;
  for (const auto& device : all) {
    if (device.state != server::DeviceState::pending) continue;
    table.add_row({device.name, rfc3339_text(device.since), enrolment::text_of(device.identity)});
    ++count;
  }
  if (count == 0) fmt::print("no device waits for approval\n");
  else
    fmt::print(
        "{}\"hansa approve NAME\" certifies and admits a device, \"hansa approve --deny NAME\" refuses it\n",
        table.text());
  return {};
}

void print_admitted(const std::vector<server::Device>& admitted) {
  for (const server::Device& device : admitted)
    fmt::print("{} is certified and admitted, with the identity {}\n", device.name,
               enrolment::text_of(device.identity));
  if (admitted.empty()) fmt::print("no device was admitted\n");
}

Result<void> run_approve(ApproveOptions options) {
  HANSA_TRY(const auto config, read_federation_folder(options.folder));
  const server::Acting acting = server::acting_operator(utc_seconds_now());
  HANSA_TRY(auto devices, open_register(config, acting));
  if (!options.export_to.empty()) {
    HANSA_TRY(const auto names, export_requests(options.export_to, devices));
    for (const std::string& name : names) fmt::print("{}\n", (options.export_to / (name + ".pub")).string());
    fmt::print(
        "Next, on the machine with the root key: hansa keys certify --root ROOT.key --federation {} FILES\n"
        "Then, here again: hansa approve --import {}\n",
        config.name, options.export_to.string());
    return {};
  }
  if (!config.root)
    return fail(ErrorCode::usage, config.file.string(), "names no root key", "set secure_aggregation.root");
  if (!options.import_from.empty()) {
    HANSA_TRY(const auto names, import_certificates(config, options.import_from, devices, acting));
    std::vector<server::Device> admitted;
    for (const std::string& name : names) {
      HANSA_TRY(auto device, devices.find(name));
      if (device) admitted.push_back(std::move(*device));
    }
    print_admitted(admitted);
    return {};
  }
  if (options.all) {
    HANSA_TRY(options.names, pending_names(devices));
  } else if (options.names.empty()) {
    return print_pending(devices);
  }
  if (options.deny) {
    for (const std::string& name : options.names) {
      HANSA_TRY_VOID(deny_device(name, devices, acting));
      fmt::print("{} is denied\n", name);
    }
    return {};
  }
  if (!options.identity.empty()) {
    HANSA_TRY(options.terms.identity, enrolment::parse_identity(options.identity, "--identity"));
  }
  HANSA_TRY(const auto root, read_operator_key(config, options.folder, options.root));
  HANSA_TRY(const auto approved,
            approve_devices(config, options.names, root, options.terms, devices, acting));
  print_admitted(approved);
  return {};
}

}  // namespace

void add_approve_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command =
      hansa.add_subcommand("approve", "List the devices that ask to join, and certify or deny them");
  command->footer(
      "Examples, in a federation's folder:\n  hansa approve\n  hansa approve LINE-7 --root "
      "~/operator/root.key\n"
      "  hansa approve LINE-7 --identity 5f2c...   # printed by hansa-client join on the "
      "device\n"
      "  hansa approve --deny LINE-8\n"
      "With the root key on a machine without a network, carry the files there and back:\n"
      "  hansa approve --export requests\n"
      "  hansa keys certify --root root.key --federation pumps requests/LINE-7.pub     # on that machine\n"
      "  hansa approve --import requests");
  auto options = std::make_shared<ApproveOptions>();
  auto* names =
      command->add_option("NAME", options->names, "Devices; without names, those that wait are listed");
  command->add_option("--folder", options->folder, "The federation's folder")->capture_default_str();
  command->add_option("--root", options->root,
                      "The operator's secret root key; default: keys/root.key in the folder");
  command->add_option("--days", options->terms.days, "Days until the certificates expire")
      ->check(CLI::Range(1, 36'500))
      ->capture_default_str();
  auto* all = command->add_flag("--all", options->all, "All devices that wait");
  all->excludes(names);
  command
      ->add_option(
          "--identity", options->identity,
          "The device's identity, as the device itself shows it; another one in the register is refused")
      ->excludes(all);
  command->add_flag("--deny", options->deny, "Refuse the devices instead");
  auto* to = command->add_option("--export", options->export_to, "Write the requests to this folder");
  command
      ->add_option("--import", options->import_from,
                   "Admit the devices whose certified files are in this folder")
      ->excludes(to);
  command->callback([options, &outcome] { outcome = run_approve(*options); });
}

}  // namespace hansa::tools
