// hansa client add | remove: who takes part in a federation.
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "tools/commands.h"
#include "tools/membership.h"
#include "tools/site.h"

namespace hansa::tools {
namespace {

void print_notes(const std::vector<std::string>& notes) {
  for (const std::string& note : notes) fmt::print("note: {}\n", note);
}

Result<void> run_add(const AddPlan& plan) {
  HANSA_TRY(const Added added, add_client(plan));
  const std::string site = added.site.string();
  if (added.membership == Membership::returned)
    fmt::print("{}: the present key is admitted again, certified until {}\n", site, date_text(added.expires));
  else fmt::print("{}: a new client, admitted and certified until {}\n", site, date_text(added.expires));
  fmt::print(
      "An aggregator that runs admits it within a second, without a restart; if it runs on another machine, "
      "copy\n"
      "admitted/{0}.pub to its folder of admitted clients.\n",
      plan.name);
  if (added.membership == Membership::created)
    fmt::print(
        "Next: set [data] in {0}/client.toml, and check that the device reaches the aggregator at {1}.\n"
        "Then copy the folder to the device, and run there: hansa-client client.toml\n",
        site, added.address);
  print_notes(added.notes);
  return {};
}

struct RemoveOptions {
  std::filesystem::path folder = ".";
  std::string name;
};

Result<void> run_remove(const RemoveOptions& options) {
  HANSA_TRY(const Removed removed, remove_client(options.folder, options.name));
  fmt::print(
      "{0} is not admitted any more; {1} clients are left\n"
      "An aggregator that runs ends its connection within a second; an update of the current round that is "
      "already in "
      "the sum\n"
      "stays. If the aggregator runs on another machine, remove admitted/{0}.pub there.\n",
      options.name, removed.remaining);
  if (!removed.site.empty())
    fmt::print(
        "Kept: {0}. \"hansa client add {1}\" admits the same key again; for a new key, delete the folder "
        "first.\n",
        removed.site.string(), options.name);
  fmt::print(
      "If the device was stolen, end all earlier certificates as well: hansa keys certify --help describes "
      "--epoch.\n");
  print_notes(removed.notes);
  return {};
}

}  // namespace

void add_client_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* client = hansa.add_subcommand("client", "Add a client to a federation, or remove one");
  client->require_subcommand(1);
  client->footer(
      "Example, in a federation's folder:\n  hansa client add hospital-d\n  hansa client remove hospital-b");

  CLI::App* add = client->add_subcommand(
      "add",
      "Make a client's folder sites/NAME with its key, certify the key and admit it; also during a run");
  add->footer(
      "Examples, in a federation's folder, or with its name:\n  hansa client add hospital-d\n"
      "  hansa client add pump-7 --folder pumps --root ~/operator/root.key --address "
      "tcp://pumps.example:7470");
  auto plan = std::make_shared<AddPlan>();
  add->add_option("NAME", plan->name, "Name of the client")->required();
  add->add_option("--folder", plan->folder, "The federation's folder")->capture_default_str();
  add->add_option("--root", plan->root,
                  "The operator's secret root key; default: keys/root.key in the folder");
  add->add_option(
      "--address", plan->addresses,
      "Addresses at which the client reaches the aggregator; default: those of the other clients");
  add->callback([plan, &outcome] { outcome = run_add(*plan); });

  CLI::App* remove =
      client->add_subcommand("remove", "Exclude a client by its name; its folder stays. Also during a run");
  remove->footer("Example, in a federation's folder:\n  hansa client remove hospital-b");
  auto options = std::make_shared<RemoveOptions>();
  remove->add_option("NAME", options->name, "Name of the client")->required();
  remove->add_option("--folder", options->folder, "The federation's folder")->capture_default_str();
  remove->callback([options, &outcome] { outcome = run_remove(*options); });
}

}  // namespace hansa::tools
