#include "tools/scaffold_text.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/config/name_check.h"
#include "protocols/secure_aggregation/setup.h"
#include "tools/partition.h"

namespace hansa::tools {
namespace {

std::string data_text(const ScaffoldPlan& plan) {
  if (plan.example == Example::fashion_mnist)
    return fmt::format(
        "# Held-out examples, on which the aggregator evaluates the model after each round.\n"
        "[evaluation]\n"
        "images = \"{0}/t10k-images-idx3-ubyte.gz\"\n"
        "labels = \"{0}/t10k-labels-idx1-ubyte.gz\"\n",
        plan.dataset.string());
  return "# Held-out examples, on which the aggregator evaluates the model after each round: fill in and "
         "uncomment.\n"
         "# [evaluation]\n"
         "# images = \"data/test-images.idx\"   # idx3, plain or .gz\n"
         "# labels = \"data/test-labels.idx\"   # idx1\n";
}

// The address at which a client on this machine reaches an aggregator that listens at `bind`.
std::string local_address(const std::string& bind) {
  const std::string any = "tcp://0.0.0.0:";
  return bind.starts_with(any) ? "tcp://127.0.0.1:" + bind.substr(any.size()) : bind;
}

std::uint32_t clients_min(const ScaffoldPlan& plan) {
  return plan.clients_min != 0 ? plan.clients_min : std::max(1U, (plan.clients * 4 + 4) / 5);
}

// Of three clients, of which one may be corrupt, two are left.
bool is_of_three(const ScaffoldPlan& plan) { return clients_min(plan) == secure_aggregation::clients_min; }

std::string secure_aggregation_text(const ScaffoldPlan& plan, const std::string& root) {
  const std::string body = fmt::format("root = \"{}\"   # keys/root.key certified admitted/*.pub\n", root);
  if (sums_securely(plan))
    return "# Updates are masked: the aggregator sees their sum, no single one. docs/security.md has the "
           "limits.\n"
           "[secure_aggregation]\nenabled = true\n" +
           body +
           (is_of_three(plan) ? "honest_min = 2   # as in clients/*.toml: rounds may have three clients\n"
                              : "");
  return "# Off: with fewer than 3 clients in a round, each could compute the others' updates from the "
         "sum.\n"
         "[secure_aggregation]\nenabled = false\n" +
         body;
}

std::string root_text(const ScaffoldPlan& plan, const std::string& root) {
  if (sums_securely(plan))
    return fmt::format(
        "# Updates leave this device only in secure aggregation with clients that this root key certified. "
        "The "
        "device trains\n"
        "# only models that this root key has signed.\n"
        "[secure_aggregation]\nroot = \"{}\"\n{}",
        root,
        is_of_three(plan) ? "# The smallest sum is that of three clients. If one of them colludes with the "
                            "aggregator, it subtracts "
                            "its own\n"
                            "# update, and the sum of two is left. Without this line the client takes part "
                            "only in larger sums.\n"
                            "honest_min = 2\n"
                          : "");
  return fmt::format(
      "# The device trains only models that this root key has signed: hansa model sign.\n"
      "[model]\nroot = \"{0}\"\n\n"
      "# Updates leave this device only in secure aggregation with clients that this root key certified.\n"
      "# [secure_aggregation]\n# root = \"{0}\"\n",
      root);
}

std::string example_readme(const ScaffoldPlan& plan) {
  const std::string first = client_name(0, plan.clients);
  return fmt::format(
      "# {name}\n\n"
      "A federation of {clients} clients that learn to classify the images of Fashion-MNIST. The 60,000 "
      "training\n"
      "images are split by Dirichlet({alpha}): each client has a skewed mix of labels. The 10,000 test "
      "images stay\n"
      "with the aggregator, which evaluates the model after each of the {rounds} rounds.\n\n"
      "To run real processes, start each in its own terminal:\n\n"
      "    hansa-aggregator federation.toml\n"
      "    hansa-client clients/{first}.toml      # and one for each other client\n\n"
      "To run everything in one process, with the same result bit for bit:\n\n"
      "    hansa simulate federation.toml\n\n"
      "After the run:\n\n"
      "    hansa status runs/RUN\n"
      "    hansa model export runs/RUN fashion.pt\n"
      "    hansa data partition --help            # other partitions\n\n",
      fmt::arg("name", federation_name(plan)), fmt::arg("clients", plan.clients),
      fmt::arg("alpha", plan.alpha), fmt::arg("rounds", plan.rounds), fmt::arg("first", first));
}

std::string template_readme(const ScaffoldPlan& plan) {
  const std::string first = client_name(0, plan.clients);
  return fmt::format(
      "# {name}\n\n"
      "A new federation. Before its first round:\n\n"
      "1. **Model.** `model.pt` is a small model for 28 x 28 images. Replace it by your own: `hansa model "
      "list` and\n"
      "   `hansa model create` provide built-in models, and PyTorch saves any model with\n"
      "   `torch.jit.script(model).save(\"model.pt\")`. Clients train only models that the root key has "
      "signed: after each\n"
      "   change, run `hansa model sign model.pt --key keys/root.key`.\n"
      "2. **Data.** In each `clients/*.toml`, set `[data]` to the device's files. In `federation.toml`, "
      "uncomment\n"
      "   `[evaluation]` if the aggregator has held-out examples.\n"
      "3. **Devices.** Copy each client's `clients/NAME.toml` and `keys/clients/NAME.key` to its device, and "
      "set\n"
      "   `aggregator.address` to the aggregator's address. To add a device, run `hansa keys generate NAME` "
      "on it, copy its\n"
      "   `NAME.pub` to `admitted/`, and certify it: `hansa keys certify --root keys/root.key --federation "
      "{name}\n"
      "   admitted/NAME.pub`. Its secret key stays on the device. Keep `keys/root.key` off the aggregator's "
      "machine: whoever\n"
      "   has this key can certify clients that do not exist, and sign models for the devices to run.\n"
      "4. **Start.** Run `hansa-aggregator federation.toml` here, and on each device `hansa-client "
      "NAME.toml`, for example\n"
      "   `hansa-client {first}.toml`.\n\n",
      fmt::arg("name", federation_name(plan)), fmt::arg("first", first));
}

}  // namespace

std::string federation_name(const ScaffoldPlan& plan) {
  std::string name = plan.folder.lexically_normal().filename().string();
  if (name.empty()) name = plan.folder.lexically_normal().parent_path().filename().string();
  return config::check_name(name, "") ? name : "federation";
}

bool sums_securely(const ScaffoldPlan& plan) {
  return clients_min(plan) >= secure_aggregation::clients_min &&
         plan.clients <= secure_aggregation::clients_max;
}

std::string federation_toml(const ScaffoldPlan& plan, const std::string& root) {
  return fmt::format(
      "# The configuration of hansa-aggregator and `hansa simulate`. All keys: docs/configuration.md.\n"
      "# Paths are relative to this file's folder.\n\n"
      "[federation]\n"
      "name = \"{name}\"\n"
      "seed = {seed}\n"
      "rounds = {rounds}\n"
      "# after_last_round = \"stay\"           # keep serving clients; by default the aggregator ends\n\n"
      "[aggregator]\n"
      "bind = \"{bind}\"\n"
      "key = \"keys/aggregator.key\"          # secret: stays on this machine\n"
      "admitted = \"admitted\"                # NAME.pub of each client that may take part\n"
      "runs = \"runs\"                        # one folder for each run: models, metrics, participants\n\n"
      "[model]\n"
      "archive = \"model.pt\"                 # TorchScript\n\n"
      "# How a client trains in a round: SGD on its own examples.\n"
      "[training]\n"
      "epochs = 1\n"
      "batch_size = 32\n"
      "learning_rate = 0.02\n"
      "momentum = 0.9\n\n"
      "# Which clients take part in a round, and when it ends.\n"
      "[cohort]\n"
      "clients_min = {clients_min}                      # connected before a round starts\n"
      "clients_expected = {clients}                # the first round waits for this many, up to gather_s\n"
      "gather_s = 30\n"
      "fraction = 1.0                       # of the connected clients that are selected\n"
      "quorum = 0.8                         # of the selected clients whose updates the round needs\n"
      "deadline_s = 120                     # then the round ends with the updates that have arrived\n\n"
      "{secure}\n"
      "{data}\n"
      "[simulation]\n"
      "clients = \"clients/*.toml\"\n",
      fmt::arg("name", federation_name(plan)), fmt::arg("seed", plan.seed), fmt::arg("rounds", plan.rounds),
      fmt::arg("bind", plan.bind), fmt::arg("clients", plan.clients),
      fmt::arg("clients_min", clients_min(plan)), fmt::arg("secure", secure_aggregation_text(plan, root)),
      fmt::arg("data", data_text(plan)));
}

std::string client_toml(const ScaffoldPlan& plan, const ClientText& client) {
  const std::string data = plan.example == Example::none
                               ? "images = \"../data/" + client.name +
                                     "/images.idx\"   # fill in: idx3, plain or .gz\n" +
                                     "labels = \"../data/" + client.name + "/labels.idx\"   # fill in: idx1\n"
                               : "images = \"../shards/" + client.name +
                                     "/images.idx\"\nlabels = \"../shards/" + client.name + "/labels.idx\"\n";
  return fmt::format(
      "# The configuration of hansa-client on one device. All keys: docs/configuration.md.\n"
      "# Paths are relative to this file's folder.\n\n"
      "[client]\n"
      "name = \"{client}\"                   # the aggregator admits it by admitted/{client}.pub\n"
      "federation = \"{federation}\"\n"
      "key = \"../keys/clients/{client}.key\"   # secret: stays on this device\n"
      "state = \"../state/{client}\"\n"
      "# after_federation = \"stay\"           # wait for another run; by default the client ends\n\n"
      "[aggregator]\n"
      "address = \"{address}\"\n"
      "public_key = \"{key}\"   # the client connects to no other aggregator\n\n"
      "# The examples this device trains on. None of them is sent.\n"
      "[data]\n"
      "{data}\n"
      "{secure}\n"
      "# The resources that training may use.\n"
      "[resources]\n"
      "threads = 1\n"
      "# nice = 10\n"
      "# memory_mib_max = 512\n",
      fmt::arg("client", client.name), fmt::arg("federation", federation_name(plan)),
      fmt::arg("address", plan.address.empty() ? local_address(plan.bind) : plan.address),
      fmt::arg("key", client.aggregator_key), fmt::arg("data", data),
      fmt::arg("secure", root_text(plan, client.root)));
}

std::string readme(const ScaffoldPlan& plan) {
  return (plan.example == Example::none ? template_readme(plan) : example_readme(plan)) +
         "| path | content |\n| --- | --- |\n"
         "| `federation.toml` | the aggregator's configuration |\n"
         "| `clients/` | the configuration of each client |\n"
         "| `keys/` | secret keys, readable only by their owner; `keys/clients/` belongs on the devices, "
         "`keys/root.key` "
         "with the operator |\n"
         "| `admitted/` | certified public keys of the clients that may take part; remove a key to exclude "
         "its "
         "device |\n"
         "| `model.pt`, `model.pt.manifest` | the model before the first round, and the root key's signature "
         "of "
         "it |\n" +
         (plan.example == Example::none ? "" : "| `shards/` | each client's examples |\n") +
         "| `runs/` | created by the first run: one folder for each run |\n";
}

}  // namespace hansa::tools
