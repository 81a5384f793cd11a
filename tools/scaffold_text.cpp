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
        "# Held-out examples, on which the aggregator measures the model after each round.\n"
        "[evaluation]\n"
        "images = \"{0}/t10k-images-idx3-ubyte.gz\"\n"
        "labels = \"{0}/t10k-labels-idx1-ubyte.gz\"\n",
        plan.dataset.string());
  return "# Held-out examples, on which the aggregator measures the model after each round: fill in and "
         "uncomment.\n"
         "# [evaluation]\n"
         "# images = \"data/test-images.idx\"   # idx3, plain or .gz\n"
         "# labels = \"data/test-labels.idx\"   # idx1\n";
}

// Where a client on this machine finds an aggregator that listens at bind.
std::string local_address(const std::string& bind) {
  const std::string any = "tcp://0.0.0.0:";
  return bind.starts_with(any) ? "tcp://127.0.0.1:" + bind.substr(any.size()) : bind;
}

std::uint32_t clients_min(const ScaffoldPlan& plan) {
  return plan.clients_min != 0 ? plan.clients_min : std::max(1U, (plan.clients * 4 + 4) / 5);
}

std::string secure_aggregation_text(const ScaffoldPlan& plan, const std::string& root) {
  const std::string body = fmt::format("root = \"{}\"   # keys/root.key certified admitted/*.pub\n", root);
  if (sums_securely(plan))
    return "# The aggregator gets the sum of the updates, and never a single one: "
           "docs/secure-aggregation.md.\n"
           "[secure_aggregation]\nenabled = true\n" +
           body;
  return "# Off: with fewer than 3 clients in a round, each could work out the others' updates from the "
         "sum.\n"
         "[secure_aggregation]\nenabled = false\n" +
         body;
}

std::string example_readme(const ScaffoldPlan& plan) {
  const std::string first = client_name(0, plan.clients);
  return fmt::format(
      "# {name}\n\n"
      "A federation of {clients} clients that learn to tell the clothes of Fashion-MNIST apart. The 60,000 "
      "training\n"
      "images are split by Dirichlet({alpha}): each client has a skewed mix of labels. The 10,000 test "
      "images stay\n"
      "with the aggregator, which measures the model after each of the {rounds} rounds.\n\n"
      "Real processes, each in a terminal of its own:\n\n"
      "    hansa-aggregator federation.toml\n"
      "    hansa-client clients/{first}.toml      # and the others\n\n"
      "Or all of it in one process, with the same result bit for bit:\n\n"
      "    hansa simulate federation.toml\n\n"
      "Afterwards:\n\n"
      "    hansa status runs/RUN\n"
      "    hansa model export runs/RUN fashion.pt\n"
      "    hansa data partition --help            # other splits\n\n",
      fmt::arg("name", federation_name(plan)), fmt::arg("clients", plan.clients),
      fmt::arg("alpha", plan.alpha), fmt::arg("rounds", plan.rounds), fmt::arg("first", first));
}

std::string template_readme(const ScaffoldPlan& plan) {
  const std::string first = client_name(0, plan.clients);
  return fmt::format(
      "# {name}\n\n"
      "A new federation. Four steps to its first round:\n\n"
      "1. **Model.** `model.pt` is a small one for 28 x 28 images. Put your own in its place: `hansa model "
      "list` and\n"
      "   `hansa model create` make built-in ones, and PyTorch saves any with "
      "`torch.jit.script(model).save(\"model.pt\")`.\n"
      "2. **Data.** In each `clients/*.toml`, let `[data]` name the device's files. In `federation.toml`, "
      "uncomment\n"
      "   `[evaluation]` if the aggregator has held-out examples.\n"
      "3. **Devices.** Give each device its `clients/{first}.toml` and its `keys/clients/{first}.key`, and "
      "set\n"
      "   `aggregator.address` to where the aggregator can be reached. For a further device run `hansa keys "
      "generate NAME`\n"
      "   on it, put its `NAME.pub` into `admitted/`, and certify it: `hansa keys certify --root "
      "keys/root.key\n"
      "   --federation {name} admitted/NAME.pub`. Its key never leaves it. Keep `keys/root.key` off the "
      "aggregator's machine:\n"
      "   who has it can invent clients.\n"
      "4. **Start.** `hansa-aggregator federation.toml` here, `hansa-client {first}.toml` on each "
      "device.\n\n",
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
      "# What hansa-aggregator and `hansa simulate` are told. Every key: docs/configuration.md.\n"
      "# Paths are relative to this file's folder.\n\n"
      "[federation]\n"
      "name = \"{name}\"\n"
      "seed = {seed}\n"
      "rounds = {rounds}\n"
      "# after_last_round = \"stay\"           # keep answering; the default ends the aggregator\n\n"
      "[aggregator]\n"
      "bind = \"{bind}\"\n"
      "key = \"keys/aggregator.key\"          # secret: stays on this machine\n"
      "admitted = \"admitted\"                # NAME.pub of each client that may take part\n"
      "runs = \"runs\"                        # a folder for each run: models, metrics, who took part\n\n"
      "[model]\n"
      "archive = \"model.pt\"                 # TorchScript\n\n"
      "# What a client does in a round: SGD on its own examples.\n"
      "[training]\n"
      "epochs = 1\n"
      "batch_size = 32\n"
      "learning_rate = 0.02\n"
      "momentum = 0.9\n\n"
      "# Who takes part in a round, and when it is over.\n"
      "[cohort]\n"
      "clients_min = {clients_min}                      # connected before a round starts\n"
      "clients_expected = {clients}                # the first round waits for so many, up to gather_s\n"
      "gather_s = 30\n"
      "fraction = 1.0                       # of the connected that are picked\n"
      "quorum = 0.8                         # of the picked whose updates the round needs\n"
      "deadline_s = 120                     # then it closes with those who answered\n\n"
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
      "# What hansa-client is told on one device. Every key: docs/configuration.md.\n"
      "# Paths are relative to this file's folder.\n\n"
      "[client]\n"
      "name = \"{client}\"                   # admitted at the aggregator as admitted/{client}.pub\n"
      "federation = \"{federation}\"\n"
      "key = \"../keys/clients/{client}.key\"   # secret: stays on this device\n"
      "state = \"../state/{client}\"\n"
      "# after_federation = \"stay\"           # wait for more; the default ends the client\n\n"
      "[aggregator]\n"
      "address = \"{address}\"\n"
      "public_key = \"{key}\"   # the client talks to no other\n\n"
      "# The examples this device trains on. They never leave it.\n"
      "[data]\n"
      "{data}\n"
      "# Updates leave this device only in sums with those of clients that this key certified.\n"
      "{secure}[secure_aggregation]\n"
      "{secure}root = \"{root}\"\n\n"
      "# What training may take from the device.\n"
      "[resources]\n"
      "threads = 1\n"
      "# nice = 10\n"
      "# memory_mib_max = 512\n",
      fmt::arg("client", client.name), fmt::arg("federation", federation_name(plan)),
      fmt::arg("address", plan.address.empty() ? local_address(plan.bind) : plan.address),
      fmt::arg("key", client.aggregator_key), fmt::arg("data", data), fmt::arg("root", client.root),
      fmt::arg("secure", sums_securely(plan) ? "" : "# "));
}

std::string readme(const ScaffoldPlan& plan) {
  return (plan.example == Example::none ? template_readme(plan) : example_readme(plan)) +
         "| here | what |\n| --- | --- |\n"
         "| `federation.toml` | what the aggregator is told |\n"
         "| `clients/` | what each client is told |\n"
         "| `keys/` | secret keys, readable by their owner alone; `keys/clients/` belongs on the devices, "
         "`keys/root.key` "
         "with the operator |\n"
         "| `admitted/` | certified public keys of the clients that may take part: remove one to shut a "
         "device out |\n"
         "| `model.pt` | the model before the first round |\n" +
         (plan.example == Example::none ? "" : "| `shards/` | each client's examples |\n") +
         "| `runs/` | appears with the first run: a folder a run |\n";
}

}  // namespace hansa::tools
