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
  std::filesystem::path root, export_to, import_from, rotation;
  std::vector<std::string> names;
  std::string identity;
  ApprovalTerms terms;
  bool all = false, deny = false;
};

std::vector<std::string> names_of(const std::vector<Pending>& requests) {
  std::vector<std::string> out;
  for (const Pending& pending : requests) out.push_back(pending.device.name);
  return out;
}

Result<void> print_pending(server::DeviceRegister& devices) {
  HANSA_TRY(const auto all, pending_requests(devices));
  TextTable table({{"name", Align::left},
                   {"asks for", Align::left},
                   {"asked at", Align::left},
                   {"identity", Align::left}});
  for (const Pending& pending : all)
    table.add_row({pending.device.name, pending.next ? "a new key" : "admission",
                   rfc3339_text(pending.next ? pending.next->since : pending.device.since),
                   enrolment::text_of(pending.asking().identity)});
  if (all.empty()) fmt::print("no device waits for approval\n");
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

std::vector<server::Device> asking(const std::vector<Pending>& approved) {
  std::vector<server::Device> out;
  for (const Pending& pending : approved) out.push_back(pending.asking());
  return out;
}

// A device without a connection to the port for enrolment gets its certificate as a file.
Result<void> print_file_for_device(const server::FederationConfig& config, const std::string& name) {
  fmt::print("Next, with a copy of {} on the device: hansa-client rotate client.toml --certificate {}.next\n",
             (config.admitted / (name + ".next")).string(), name);
  return {};
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
  if (!options.rotation.empty()) {
    HANSA_TRY(const Pending pending, add_rotation(config, options.rotation, devices, acting));
    if (!pending.next)
      return fail(ErrorCode::usage, options.rotation.string(),
                  "is done: " + pending.device.name + " has this key already", "nothing is left to do");
    fmt::print("{} asks for a change of its key\n", pending.device.name);
    if (pending.next->state == server::NextKeyState::certified) {
      print_admitted({pending.asking()});
      return print_file_for_device(config, pending.device.name);
    }
    options.names = {pending.device.name};
  }
  if (options.all) {
    HANSA_TRY(const auto all, pending_requests(devices));
    options.names = names_of(all);
  } else if (options.names.empty()) {
    return print_pending(devices);
  }
  if (options.deny) {
    for (const std::string& name : options.names) {
      HANSA_TRY_VOID(deny_device(config, name, devices, acting));
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
  print_admitted(asking(approved));
  if (!options.rotation.empty()) return print_file_for_device(config, options.names.front());
  return {};
}

}  // namespace

void add_approve_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command = hansa.add_subcommand(
      "approve", "List the devices that ask to join or to change their key, and certify or deny them");
  command->footer(
      "Examples, in a federation's folder:\n  hansa approve\n  hansa approve LINE-7 --root "
      "~/operator/root.key\n"
      "  hansa approve LINE-7 --identity 5f2c...   # printed by hansa-client join on the "
      "device\n"
      "  hansa approve --deny LINE-8\n"
      "  hansa approve --rotation LINE-7.rotation --root ~/operator/root.key\n"
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
      ->add_option("--rotation", options->rotation,
                   "The file with which a device asks for a change of its key")
      ->excludes(names)
      ->excludes(all);
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
