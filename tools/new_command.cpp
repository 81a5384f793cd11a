// hansa new: creates the folder of a federation.
#include <map>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "tools/commands.h"
#include "tools/scaffold.h"

namespace hansa::tools {
namespace {

Result<void> run_new(const ScaffoldPlan& plan) {
  HANSA_TRY_VOID(scaffold(plan));
  const std::string folder = plan.folder.string();
  fmt::print("{}: a federation of {} clients; its README.md describes the next steps\n", folder,
             plan.clients);
  if (plan.example != Example::none)
    fmt::print("to try it in one process: hansa simulate {}/federation.toml\n", folder);
  return {};
}

}  // namespace

void add_new_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command =
      hansa.add_subcommand("new", "Create a federation's folder: configuration, keys, model, data");
  command->footer(
      "Example:\n  hansa new fashion --example fashion-mnist --clients 10 --alpha 0.5 --rounds 20");
  auto plan = std::make_shared<ScaffoldPlan>();
  command->add_option("DIR", plan->folder, "Folder to create; its name becomes the federation's name")
      ->required();
  const std::map<std::string, Example> examples{{"fashion-mnist", Example::fashion_mnist}};
  CLI::Option* example =
      command->add_option("--example", plan->example, "Start from an example: fashion-mnist")
          ->transform(CLI::CheckedTransformer(examples))
          ->type_name("NAME");
  CLI::Option* clients =
      command->add_option("--clients", plan->clients, "Number of clients: 10 in an example, else 2");
  command->add_option("--alpha", plan->alpha, "Skew of the example's partition, Dirichlet(ALPHA)")
      ->needs(example)
      ->capture_default_str();
  command->add_option("--dataset", plan->dataset, "Folder of the example's data set")
      ->needs(example)
      ->capture_default_str();
  command->add_option("--rounds", plan->rounds, "Number of rounds")->capture_default_str();
  command->add_option("--seed", plan->seed, "Seed of the partition, the model and the training")
      ->capture_default_str();
  CLI::Option* bind = command->add_option(
      "--bind", plan->bind,
      "Address that the aggregator listens at; default: loopback in an example, else all interfaces");
  command->add_option(
      "--address", plan->address,
      "Address that clients connect to, tcp://HOST:PORT; default: --bind as seen from this machine");
  command->add_option("--clients-min", plan->clients_min,
                      "Clients that must be connected before a round starts; default: four fifths");
  command->callback([=, &outcome] {
    if (example->count() == 0) {
      if (clients->count() == 0) plan->clients = 2;
      if (bind->count() == 0) plan->bind = "tcp://0.0.0.0:7470";
    }
    outcome = run_new(*plan);
  });
}

}  // namespace hansa::tools
