// hansa keys rotate aggregator | root, hansa keys state: changes of the aggregator's key and of the root key.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/config/name_check.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/transport/keys.h"
#include "server/config/devices_config.h"
#include "tools/commands.h"
#include "tools/federation_folder.h"
#include "tools/key_rotation.h"

namespace hansa::tools {
namespace {

struct RotateOptions {
  std::filesystem::path folder = ".";
  std::filesystem::path root, next;
  double days = 14;
  bool prepare = false;
};

std::uint64_t seconds_of(double days) {
  return static_cast<std::uint64_t>(days * static_cast<double>(enrolment::seconds_per_day));
}

Result<secure_aggregation::SigningKey> read_signing_key(const std::filesystem::path& file) {
  HANSA_TRY(const transport::SecretKey secret, transport::read_secret_key(file));
  return enrolment::identity_of(secret);
}

Result<StatementPlan> plan_of(const server::FederationConfig& config, double days) {
  HANSA_TRY(const auto devices_config, server::read_devices_config(config.file, config.variables));
  return StatementPlan{devices_config.statements, config.name, utc_seconds_now(), seconds_of(days)};
}

// For the audit log. The statement holds whether or not it is noted.
void record(const server::FederationConfig& config, const char* act, const std::string& details) {
  const auto acting = server::acting_operator(utc_seconds_now());
  auto devices = open_register(config, acting);
  const auto noted = devices ? devices->record(act, config.name, details, acting)
                             : Result<void>(tl::unexpected<Error>(devices.error()));
  if (!noted) fmt::print(stderr, "the audit log was not written: {}\n", noted.error().text());
}

void print_stated(const enrolment::AggregatorStatement& stated, const std::filesystem::path& file) {
  fmt::print(
      "the aggregator has the key {} from {}: stated in {}\n"
      "Clients that connect before then learn it from the aggregator, which switches by itself. For a device "
      "that "
      "was away:\n  hansa-client accept client.toml {}\n",
      stated.key.text(), rfc3339_text(stated.from), file.string(), file.filename().string());
}

Result<void> run_rotate_aggregator(const RotateOptions& options) {
  HANSA_TRY(const auto config, read_federation_folder(options.folder));
  if (!config.root)
    return fail(ErrorCode::usage, config.file.string(), "names no root key, which signs the statement",
                "set secure_aggregation.root");
  HANSA_TRY(const auto key, make_next_aggregator_key(config));
  HANSA_TRY(const auto plan, plan_of(config, options.days));
  if (options.prepare) {
    fmt::print(
        "the next key: {}\nNext, on the machine with the root key: hansa keys state --root ROOT.key "
        "--federation {} "
        "--statements statements {}\nThen copy that file to {}\n",
        key.text(), config.name, key.text(), plan.file.string());
    return {};
  }
  HANSA_TRY(const auto root, read_operator_key(config, options.folder, options.root));
  HANSA_TRY(const auto stated, state_aggregator_key(plan, root, key));
  record(config, "aggregator.key_stated",
         fmt::format("key {} from {}", stated.key.text(), rfc3339_text(stated.from)));
  print_stated(stated, plan.file);
  return {};
}

Result<void> run_rotate_root(const RotateOptions& options) {
  HANSA_TRY(const auto config, read_federation_folder(options.folder));
  HANSA_TRY(const auto root, read_signing_key(options.root));
  HANSA_TRY(const auto next, read_signing_key(options.next));
  HANSA_TRY(const auto plan, plan_of(config, options.days));
  HANSA_TRY(const auto stated, state_next_root(plan, root, next));
  const std::string identity = enrolment::text_of(stated.next);
  record(config, "root.key_stated", fmt::format("{} until {}", identity, rfc3339_text(stated.until)));
  fmt::print(
      "the root key {} follows, and the former one holds until {}: stated in {}\n"
      "Next, until then, with the new root key:\n"
      "  1. all devices' certificates: hansa keys certify --root NEW.key --federation {} {}\n"
      "  2. the model: hansa model sign {} --key NEW.key\n"
      "  3. secure_aggregation.root = \"{}\" in federation.toml, and start the aggregator again\n"
      "Clients that connect until then learn it from the aggregator. For a device that was away:\n"
      "  hansa-client accept client.toml {}\n",
      identity, rfc3339_text(stated.until), plan.file.string(), config.name,
      (config.admitted / "*.pub").string(), config.model.string(), identity, plan.file.filename().string());
  return {};
}

struct StateOptions {
  std::filesystem::path root, statements;
  std::string federation, key;
  double days = 14;
};

Result<void> run_state(const StateOptions& options) {
  HANSA_TRY_VOID(config::check_name(options.federation, "--federation \"" + options.federation + "\""));
  HANSA_TRY(const auto root, read_signing_key(options.root));
  HANSA_TRY(const auto key, transport::parse_public_key(options.key, "KEY"));
  const StatementPlan plan{options.statements, options.federation, utc_seconds_now(),
                           seconds_of(options.days)};
  HANSA_TRY(const auto stated, state_aggregator_key(plan, root, key));
  print_stated(stated, plan.file);
  return {};
}

void add_days(CLI::App& command, double& days, const char* meaning) {
  command.add_option("--days", days, meaning)->check(CLI::Range(0.0, 3'650.0))->capture_default_str();
}

}  // namespace

void add_keys_rotate_commands(CLI::App& keys, Outcome& outcome) {
  CLI::App* rotate = keys.add_subcommand("rotate", "Change the key of the aggregator, or the root key");
  rotate->require_subcommand(1);
  rotate->footer(
      "Example, in a federation's folder:\n  hansa keys rotate aggregator --root ~/operator/root.key");

  CLI::App* aggregator = rotate->add_subcommand(
      "aggregator",
      "Make the aggregator's next key, and state with the root key that it holds from a time on");
  aggregator->footer(
      "Example, in a federation's folder:\n  hansa keys rotate aggregator --root ~/operator/root.key --days "
      "14\n"
      "With the root key on a machine without a network:\n"
      "  hansa keys rotate aggregator --prepare\n"
      "  hansa keys state --root root.key --federation pumps --statements statements KEY    # on that "
      "machine");
  auto options = std::make_shared<RotateOptions>();
  aggregator->add_option("--folder", options->folder, "The federation's folder")->capture_default_str();
  aggregator->add_option("--root", options->root,
                         "The operator's secret root key; default: keys/root.key in the folder");
  add_days(*aggregator, options->days, "Days until the aggregator switches to the next key");
  aggregator->add_flag("--prepare", options->prepare, "Only make the next key");
  aggregator->callback([options, &outcome] { outcome = run_rotate_aggregator(*options); });

  CLI::App* root = rotate->add_subcommand("root", "State that another root key follows");
  root->footer(
      "Example, in a federation's folder:\n  hansa keys generate root-2\n"
      "  hansa keys rotate root --root root.key --next root-2.key --days 60");
  auto root_options = std::make_shared<RotateOptions>();
  root_options->days = 60;
  root->add_option("--folder", root_options->folder, "The federation's folder")->capture_default_str();
  root->add_option("--root", root_options->root, "The present secret root key")->required();
  root->add_option("--next", root_options->next, "The next secret root key")->required();
  add_days(*root, root_options->days, "Days until the present root key ends");
  root->callback([root_options, &outcome] { outcome = run_rotate_root(*root_options); });

  CLI::App* state = keys.add_subcommand(
      "state", "State with the root key which key the aggregator has, where the federation's folder is not");
  state->footer(
      "Example, on the machine with the root key, after \"hansa keys rotate aggregator --prepare\":\n"
      "  hansa keys state --root root.key --federation pumps --statements statements KEY");
  auto state_options = std::make_shared<StateOptions>();
  state->add_option("--root", state_options->root, "The operator's secret root key")->required();
  state->add_option("--federation", state_options->federation, "Name of the federation")->required();
  state
      ->add_option("--statements", state_options->statements,
                   "The federation's file of statements; made if it is missing")
      ->required();
  add_days(*state, state_options->days, "Days until the aggregator switches to the key");
  state->add_option("KEY", state_options->key, "The aggregator's next public key, 40 characters of Z85")
      ->required();
  state->callback([state_options, &outcome] { outcome = run_state(*state_options); });
}

}  // namespace hansa::tools
