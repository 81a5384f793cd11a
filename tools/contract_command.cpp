// hansa contract: `make` derives a data contract from a client's data; `check` compares clients' data with one.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "client/config/client_config.h"
#include "client/state/client_data.h"
#include "common/data_contract.h"
#include "learning/data_supply.h"
#include "server/config/federation_config.h"
#include "tools/learning_commands.h"

namespace hansa::tools {
namespace {

// Messages of a broker are not read: the client's settings say what they are.
DataDescription describe_settings(const learning::DataConfig& data) {
  std::vector<std::int64_t> input{static_cast<std::int64_t>(data.columns.size())};
  if (data.kind == "windows") input.push_back(data.window);
  DataDescription out = learning::describe(learning::one_input(
      std::move(input), data.target == learning::TargetKind::real
                            ? learning::real_target()
                            : learning::class_target(static_cast<std::int64_t>(data.classes.size()))));
  out.columns = data.columns;
  out.label = data.label;
  out.classes = data.classes;
  return out;
}

// Reads the data as the client would. Of data that arrives, what has arrived by now. Changes nothing on the device.
Result<DataDescription> describe_client(const client::ClientConfig& config) {
  if (config.follow && config.follow->from == learning::FollowFrom::broker)
    return describe_settings(config.data);
  HANSA_TRY(const auto data,
            client::open_client_data(config, client::KeepState::in_memory, learning::open_examples,
                                     learning::supply_data(config.data)));
  if (data.followed) HANSA_TRY_VOID(data.followed->take_all());
  HANSA_TRY(const learning::AvailableData available, data.supply->available());
  if (available.description) return *available.description;
  return fail(ErrorCode::data, config.file.string(), "has data that does not describe itself");
}

Result<void> run_make(const std::filesystem::path& file) {
  HANSA_TRY(const client::ClientConfig config, client::read_client_config(file));
  HANSA_TRY(const DataDescription description, describe_client(config));
  const DataContract contract = contract_of(description);
  if (auto checked = check(contract); !checked) {
    checked.error().location = file.string() + ": " + checked.error().location;
    return checked;
  }
  fmt::print(
      "# Made by \"hansa contract make {}\". Put it into federation.toml, and check each line.\n"
      "# A client whose data differs from it does not train. minimum and maximum are those of this client's "
      "data:\n"
      "# widen them to what is plausible, or remove them; values outside only warn.\n",
      file.string());
  if (!contract.columns.empty())
    fmt::print("# Fill in the units, one for each column: units = [\"years\", \"kg/m2\"]\n");
  fmt::print("{}", toml_of(contract));
  return {};
}

struct CheckOptions {
  std::filesystem::path federation;
  std::vector<std::filesystem::path> clients;
};

// The difference names the file that describes the data.
Result<void> compare(const DataContract& contract, const DataDescription& description,
                     const std::string& location) {
  if (auto found = find_difference(contract, description)) {
    found->location = location;
    return tl::unexpected<Error>(std::move(*found));
  }
  fmt::print("{}: fits the data contract\n", location);
  for (const OutOfRange& found : find_out_of_range(contract, description))
    fmt::print("{}: warning: {}\n", location, found.text);
  return {};
}

Result<void> check_client(const DataContract& contract, const std::filesystem::path& file) {
  HANSA_TRY(const client::ClientConfig config, client::read_client_config(file));
  HANSA_TRY(const DataDescription description, describe_client(config));
  return compare(contract, description, file.string());
}

// The aggregator's own data must fit as well: the model is measured on it.
Result<void> check_evaluation(const DataContract& contract, const server::FederationConfig& federation) {
  if (!federation.evaluation) return {};
  HANSA_TRY(const auto source, learning::open_examples(*federation.evaluation));
  return compare(contract, source->description(), federation.file.string() + ": [evaluation]");
}

Result<void> run_check(const CheckOptions& options) {
  HANSA_TRY(const server::FederationConfig federation, server::read_federation_config(options.federation));
  if (!federation.data_contract)
    return fail(ErrorCode::usage, options.federation.string(), "has no table [data_contract]",
                "\"hansa contract make CLIENT.TOML\" prints one");
  Result<void> out = check_evaluation(*federation.data_contract, federation);
  for (const auto& file : options.clients) {
    auto checked = check_client(*federation.data_contract, file);
    if (checked) continue;
    if (!out) fmt::print("{}\n", out.error().text());  // main prints the last one
    out = std::move(checked);
  }
  return out;
}

}  // namespace

void add_contract_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* contract = hansa.add_subcommand(contract_title.name, contract_title.description);
  contract->require_subcommand(1);
  contract->footer(
      "Examples:\n  hansa contract make sites/client-01/client.toml >> federation.toml\n"
      "  hansa contract check federation.toml sites/client-01/client.toml");

  CLI::App* make = contract->add_subcommand("make", "Print the [data_contract] that a client's data fits");
  make->footer("Example:\n  hansa contract make sites/client-01/client.toml >> federation.toml");
  auto file = std::make_shared<std::filesystem::path>();
  make->add_option("CLIENT", *file, "A client's configuration file")->required();
  make->callback([file, &outcome] { outcome = run_make(*file); });

  CLI::App* check = contract->add_subcommand("check", "Compare clients' data with the federation's contract");
  check->footer(
      "Example:\n  hansa contract check federation.toml sites/client-01/client.toml "
      "sites/client-02/client.toml");
  auto options = std::make_shared<CheckOptions>();
  check->add_option("FEDERATION", options->federation, "With a table [data_contract]")->required();
  check->add_option("CLIENT", options->clients, "Clients' configuration files")->required();
  check->callback([options, &outcome] { outcome = run_check(*options); });
}

}  // namespace hansa::tools
