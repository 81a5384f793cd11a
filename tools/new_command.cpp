// hansa new: creates the folder of a federation.
#include <map>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "tools/learning_commands.h"
#include "tools/scaffold.h"

namespace hansa::tools {
namespace {

const std::map<std::string, Example>& examples() {
  static const std::map<std::string, Example> all{{"fashion-mnist", Example::fashion_mnist}};
  return all;
}

std::string example_names() {
  std::string out;
  for (const auto& [name, example] : examples()) out += (out.empty() ? "" : ", ") + name;
  return out;
}

struct NewOptions {
  ScaffoldPlan plan;
  std::string example;  // empty: none
  std::string clients;  // names, or a number; empty: the default
};

Result<void> run_new(NewOptions options) {
  ScaffoldPlan& plan = options.plan;
  if (!options.example.empty()) {
    const auto found = examples().find(options.example);
    if (found == examples().end())
      return fail(ErrorCode::usage, "--example", "is \"" + options.example + "\", which is no example",
                  "the examples are: " + example_names());
    plan.example = found->second;
  }
  // Secure aggregation needs three clients.
  if (options.clients.empty()) options.clients = plan.example == Example::none ? "3" : "10";
  HANSA_TRY(plan.clients, parse_clients(options.clients));
  if (plan.bind.empty()) {
    // The port to which clients connect, unless something in between forwards to another one.
    const std::size_t colon = plan.address.rfind(':');
    const std::string port = colon == std::string::npos ? "7470" : plan.address.substr(colon + 1);
    plan.bind = (plan.example == Example::none ? "tcp://0.0.0.0:" : "tcp://127.0.0.1:") + port;
  }
  HANSA_TRY_VOID(scaffold(plan));
  const std::string folder = plan.folder.string();
  fmt::print(
      "{0}: a federation of {1} clients, each with its own folder in {0}/sites; README.md describes the next "
      "steps\n",
      folder, plan.clients.size());
  if (!sums_securely(plan))
    fmt::print("note: secure aggregation is off, because a round may have fewer than 3 clients\n");
  fmt::print("dashboard: http://127.0.0.1:7471/ while the aggregator runs, which prints it with its token\n");
  if (plan.example != Example::none)
    fmt::print("to try it in one process: hansa simulate {}/federation.toml\n", folder);
  return {};
}

}  // namespace

void add_new_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command = hansa.add_subcommand(new_title.name, new_title.description);
  command->footer(
      "Examples:\n  hansa new mine --clients hospital-a,hospital-b,hospital-c\n"
      "  hansa new fashion --example fashion-mnist --clients 10 --alpha 0.5 --rounds 20");
  auto options = std::make_shared<NewOptions>();
  ScaffoldPlan& plan = options->plan;
  plan.bind.clear();
  command->add_option("DIR", plan.folder, "Folder to create; its name becomes the federation's name")
      ->required();
  CLI::Option* example =
      command->add_option("--example", options->example, "Start from an example: " + example_names());
  command->add_option(
      "--clients", options->clients,
      "Names of the clients with commas between them, or their number; default: 10 in an example, "
      "else 3");
  command->add_option("--alpha", plan.alpha, "Skew of the example's partition, Dirichlet(ALPHA)")
      ->needs(example)
      ->capture_default_str();
  command->add_option("--dataset", plan.dataset, "Folder of the example's data set")
      ->needs(example)
      ->capture_default_str();
  command->add_option("--rounds", plan.rounds, "Number of rounds")->capture_default_str();
  command->add_option("--seed", plan.seed, "Seed of the partition, the model and the training")
      ->capture_default_str();
  command->add_option(
      "--bind", plan.bind,
      "Address that the aggregator listens at; default: loopback in an example, else all interfaces");
  command->add_option(
      "--address", plan.address,
      "Address that clients connect to, tcp://HOST:PORT; default: --bind as seen from this machine");
  command->add_option("--clients-min", plan.clients_min,
                      "Clients that must be connected before a round starts; default: four fifths");
  command->callback([options, &outcome] { outcome = run_new(*options); });
}

}  // namespace hansa::tools
