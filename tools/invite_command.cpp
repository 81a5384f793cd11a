// hansa invite: a join token for a device.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "protocols/enrolment/device_file.h"
#include "server/config/devices_config.h"
#include "tools/commands.h"
#include "tools/federation_folder.h"
#include "server/control/invitation.h"
#include "tools/json_text.h"
#include "tools/qr_code.h"
#include "tools/token_list.h"

namespace hansa::tools {
namespace {

using server::Invitation;
using server::InvitationPlan;
using server::parse_time_span;

struct InviteOptions {
  std::filesystem::path folder = ".";
  InvitationPlan plan;
  std::string expires = "24h";
  bool qr = false, no_qr = false;
  bool list = false, json = false;
  std::string withdraw;
};

Result<void> run_list(const InviteOptions& options) {
  HANSA_TRY(const auto config, read_federation_folder(options.folder));
  const server::Acting acting = server::acting_operator(utc_seconds_now());
  HANSA_TRY(auto devices, open_register(config, acting));
  HANSA_TRY(const auto tokens, open_tokens(devices, acting.at));
  if (options.json) fmt::print("{}\n", json_text(json_of(tokens)));
  else if (tokens.empty()) fmt::print("no token is open\n");
  else fmt::print("{}", token_table(tokens));
  return {};
}

Result<void> run_withdraw(const InviteOptions& options) {
  HANSA_TRY(const auto config, read_federation_folder(options.folder));
  const server::Acting acting = server::acting_operator(utc_seconds_now());
  HANSA_TRY(auto devices, open_register(config, acting));
  HANSA_TRY(const auto id, withdraw_token(devices, options.withdraw, acting));
  fmt::print("token {} is withdrawn: no device can join with it any more\n", text_of(id));
  return {};
}

Result<void> run_invite(InviteOptions options) {
  HANSA_TRY(const auto config, read_federation_folder(options.folder));
  HANSA_TRY(options.plan.seconds, parse_time_span(options.expires, "--expires"));
  const server::Acting acting = server::acting_operator(utc_seconds_now());
  HANSA_TRY(auto devices, open_register(config, acting));
  HANSA_TRY(const Invitation invitation, invite(config, options.plan, devices, acting));
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  if (options.qr || (terminal && !options.no_qr)) {
    HANSA_TRY(const std::string code, qr_code(invitation.token));
    fmt::print("{}", code);
  }
  fmt::print("{}\n", invitation.token);
  // Standard output is the token alone, for scripts.
  fmt::print(stderr, "Its identifier is {0}; \"hansa invite --withdraw {0}\" ends it early.\n",
             text_of(invitation.id));
  fmt::print(
      stderr,
      "On the device: hansa-client join TOKEN\nThe token is a secret until it was used. It holds for {} and "
      "expires at {}.\n",
      options.plan.uses == 1 ? "one device" : fmt::format("{} devices", options.plan.uses),
      rfc3339_text(invitation.expires));
  // The token takes it from federation.toml, which may have been changed on the machine where this runs.
  fmt::print(stderr,
             "The device will believe certificates of this root key; compare: hansa keys show --identity "
             "root.pub\n  {}\n",
             enrolment::text_of(*config.root));
  HANSA_TRY(const auto devices_config, server::read_devices_config(config.file, config.variables));
  if (devices_config.enrolment->root_key.empty())
    fmt::print(stderr, "A device that uses it waits until you approve it: hansa approve\n");
  return {};
}

}  // namespace

void add_invite_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command = hansa.add_subcommand(
      "invite", "Make, list or withdraw join tokens, with which devices enrol by themselves");
  command->footer(
      "Examples, in a federation's folder:\n  hansa invite --label LINE-7\n"
      "  hansa invite --uses 20 --expires 7d --label pump --no-qr > token\n"
      "  hansa invite --list\n  hansa invite --withdraw 3f9c20d1a4b75e68\n\n"
      "The aggregator enrols devices if federation.toml has a table [enrolment]: docs/enrolment.md");
  auto options = std::make_shared<InviteOptions>();
  command->add_option("--folder", options->folder, "The federation's folder")->capture_default_str();
  command->add_option("--label", options->plan.label,
                      "Name of the device; with several uses, LABEL-1, LABEL-2, ...; default: device-1, ...");
  command->add_option("--uses", options->plan.uses, "How many devices may join with it")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_option("--expires", options->expires, "How long it holds: 30m, 24h, 7d")
      ->capture_default_str();
  command->add_option("--address", options->plan.address,
                      "Where the device reaches the enrolment port; default: [enrolment] address");
  auto* qr = command->add_flag("--qr", options->qr, "Print a QR code; default on a terminal");
  command->add_flag("--no-qr", options->no_qr, "Print no QR code")->excludes(qr);
  auto* list = command->add_flag("--list", options->list, "List the tokens that are open, and make none");
  command->add_flag("--json", options->json, "Print the list as JSON")->needs(list);
  command
      ->add_option("--withdraw", options->withdraw,
                   "End a token: its identifier, as --list shows it, or the token itself")
      ->excludes(list);
  command->callback([options, &outcome] {
    outcome = options->list                ? run_list(*options)
              : !options->withdraw.empty() ? run_withdraw(*options)
                                           : run_invite(*options);
  });
}

}  // namespace hansa::tools
