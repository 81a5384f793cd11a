#include "tools/scaffold_text.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/config/name_check.h"
#include "protocols/secure_aggregation/setup.h"

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
  return "# How good the model is: each client holds a fifth of its examples out, and measures the model of "
         "each\n"
         "# round there.\n"
         "[evaluation.on_clients]\n"
         "fraction = 0.2\n"
         "every = 1                           # round\n\n"
         "# Held-out examples, on which the aggregator evaluates the model after each round: fill in and "
         "uncomment.\n"
         "# [evaluation]\n"
         "# images = \"data/test-images.idx\"   # idx3, plain or .gz\n"
         "# labels = \"data/test-labels.idx\"   # idx1\n";
}

std::uint32_t clients_min(const ScaffoldPlan& plan) {
  const auto clients = static_cast<std::uint32_t>(plan.clients.size());
  return plan.clients_min != 0 ? plan.clients_min : std::max(1U, (clients * 4 + 4) / 5);
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
           (is_of_three(plan)
                ? "honest_min = 2   # as in sites/*/client.toml: rounds may have three clients\n"
                : "");
  return "# Off: with fewer than 3 clients in a round, each could compute the others' updates from the "
         "sum.\n"
         "[secure_aggregation]\nenabled = false\n" +
         body;
}

std::string example_readme(const ScaffoldPlan& plan) {
  return fmt::format(
      "# {name}\n\n"
      "A federation of {clients} clients that learn to classify the images of Fashion-MNIST. The 60,000 "
      "training\n"
      "images are split by Dirichlet({alpha}): each client has a skewed mix of labels. The 10,000 test "
      "images stay\n"
      "with the aggregator, which evaluates the model after each of the {rounds} rounds.\n\n"
      "To run real processes, start each in its own terminal:\n\n"
      "    hansa-aggregator federation.toml\n"
      "    hansa-client sites/{first}/client.toml      # and one for each other client\n\n"
      "To run everything in one process, with the same result bit for bit:\n\n"
      "    hansa simulate federation.toml\n\n"
      "After the run:\n\n"
      "    hansa status runs/RUN\n"
      "    hansa model export runs/RUN fashion.pt\n"
      "    hansa data partition --help            # other partitions\n\n",
      fmt::arg("name", federation_name(plan)), fmt::arg("clients", plan.clients.size()),
      fmt::arg("alpha", plan.alpha), fmt::arg("rounds", plan.rounds),
      fmt::arg("first", plan.clients.front()));
}

std::string template_readme(const ScaffoldPlan& plan) {
  return fmt::format(
      "# {name}\n\n"
      "A new federation of {clients} clients. Before its first round:\n\n"
      "1. **Model.** `model.pt` is a small model for 28 x 28 images. Replace it by your own: `hansa model "
      "list` names "
      "the\n"
      "   built-in models, `hansa model create logistic model.pt --inputs 30 --classes 2 --force` creates "
      "one, and "
      "PyTorch\n"
      "   saves any model with `torch.jit.script(model).save(\"model.pt\")`. Clients train only models that "
      "the root "
      "key has\n"
      "   signed: after each change, run `hansa model sign model.pt --key keys/root.key`.\n"
      "2. **Data.** In each `sites/*/client.toml`, set `[data]` to the device's files. In `federation.toml`, "
      "fill "
      "in\n"
      "   `[evaluation]` if the aggregator has held-out examples too: by default the clients measure the "
      "model.\n"
      "3. **Devices.** `sites/` has one folder for each client. Set `aggregator.address` in its "
      "`client.toml` to the "
      "address\n"
      "   at which the device reaches the aggregator, and copy the folder to the device: all paths in it are "
      "relative. "
      "The\n"
      "   copy here is then not needed any more; it contains the device's secret key.\n"
      "4. **Start.** Run `hansa-aggregator federation.toml` here, and `hansa-client client.toml` in the "
      "folder on each "
      "device.\n\n"
      "To add or remove a device at any time, also during a run: `hansa client add NAME`, `hansa client "
      "remove NAME`. "
      "A device\n"
      "can also join by itself, with a key that never leaves it: `hansa invite` prints a token, and "
      "`hansa-client "
      "join TOKEN`\n"
      "runs on the device (docs/enrolment.md). `hansa devices` lists all devices. Keep\n"
      "`keys/root.key` off the aggregator's machine: whoever has this key can certify clients that do not "
      "exist, and "
      "sign\n"
      "models for the devices to run.\n\n",
      fmt::arg("name", federation_name(plan)), fmt::arg("clients", plan.clients.size()));
}

}  // namespace

std::string federation_name(const ScaffoldPlan& plan) {
  std::string name = plan.folder.lexically_normal().filename().string();
  if (name.empty()) name = plan.folder.lexically_normal().parent_path().filename().string();
  return config::check_name(name, "") ? name : "federation";
}

bool sums_securely(const ScaffoldPlan& plan) {
  return clients_min(plan) >= secure_aggregation::clients_min &&
         plan.clients.size() <= secure_aggregation::clients_max;
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
      "# Devices that join by a token (hansa invite) need a second port: docs/enrolment.md.\n"
      "# [enrolment]\n"
      "# bind = \"tcp://0.0.0.0:7472\"\n"
      "# address = \"tcp://HOST:7472\"          # as devices reach it\n\n"
      "# The page in the browser, on this machine only: docs/dashboard.md. Another federation on this "
      "machine "
      "needs\n# another port.\n"
      "[dashboard]\n"
      "listen = \"127.0.0.1:7471\"\n\n"
      "[model]\n"
      "archive = \"model.pt\"                 # TorchScript\n\n"
      "# If the ranges of the clients' inputs differ: their mean and deviation, computed once over the data "
      "of "
      "all\n"
      "# clients, for clients with scale = \"federation\" in [data].\n"
      "# [statistics]\n"
      "# columns = 30                        # of the inputs: \"hansa data describe\" prints the number\n\n"
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
      "# Rounds follow each other at once. For weeks of training on data that arrives, with rounds = 0:\n"
      "# [schedule]\n"
      "# at = [\"30 2 * * *\"]                 # a round at half past two each night (cron), ...\n"
      "# new_examples = 500                  # ... if there are this many new examples\n"
      "# [schedule.until]\n"
      "# without_better = 20                 # the run ends after 20 rounds without a better one\n\n"
      "{secure}\n"
      "{data}\n"
      "[simulation]\n"
      "clients = \"sites/*/client.toml\"\n",
      fmt::arg("name", federation_name(plan)), fmt::arg("seed", plan.seed), fmt::arg("rounds", plan.rounds),
      fmt::arg("bind", plan.bind), fmt::arg("clients", plan.clients.size()),
      fmt::arg("clients_min", clients_min(plan)), fmt::arg("secure", secure_aggregation_text(plan, root)),
      fmt::arg("data", data_text(plan)));
}

SiteTerms site_terms(const ScaffoldPlan& plan, const transport::PublicKey& aggregator) {
  SiteTerms out{
      federation_name(plan), {plan.address.empty() ? local_address(plan.bind) : plan.address}, aggregator};
  out.summing = sums_securely(plan) ? Summing::secure : Summing::plain;
  if (sums_securely(plan) && is_of_three(plan)) out.honest_min = 2;
  // The folder data/ has the client's part of the example.
  if (plan.example != Example::none)
    out.data = "images = \"data/images.idx\"\nlabels = \"data/labels.idx\"\n";
  return out;
}

std::string readme(const ScaffoldPlan& plan) {
  return (plan.example == Example::none ? template_readme(plan) : example_readme(plan)) +
         "| path | content |\n| --- | --- |\n"
         "| `federation.toml` | the aggregator's configuration |\n"
         "| `sites/NAME/` | the folder of each client: `client.toml`, its secret key, " +
         (plan.example == Example::none ? "" : "its examples, ") +
         "later its state |\n"
         "| `keys/` | secret keys, readable only by their owner; `keys/root.key` belongs with the operator "
         "|\n"
         "| `admitted/` | certified public keys of the clients that may take part |\n"
         "| `model.pt`, `model.pt.manifest` | the model before the first round, and the root key's signature "
         "of it |\n"
         "| `runs/` | created by the first run: one folder for each run; `hansa runs` lists them |\n";
}

}  // namespace hansa::tools
