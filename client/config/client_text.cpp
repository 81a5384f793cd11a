#include "client/config/client_text.h"

#include <fmt/format.h>

namespace hansa::client {
namespace {

constexpr const char* data_to_fill_in =
    "images = \"data/images.idx\"   # fill in: idx3, plain or .gz; or another kind: docs/data.md\n"
    "labels = \"data/labels.idx\"   # fill in: idx1\n";

std::string addresses_text(const std::vector<std::string>& addresses) {
  std::string out;
  for (const std::string& address : addresses) out += (out.empty() ? "\"" : ", \"") + address + "\"";
  return addresses.size() == 1 ? out : "[" + out + "]";
}

std::string root_text(const ClientText& client) {
  if (!client.secure)
    return fmt::format(
        "# The device trains only models that this root key has signed: hansa model sign.\n"
        "[model]\nroot = \"{0}\"\n\n"
        "# Updates leave this device only in secure aggregation with clients that this root key certified.\n"
        "# [secure_aggregation]\n# root = \"{0}\"\n",
        client.root);
  std::string out = fmt::format(
      "# Updates leave this device only in secure aggregation with clients that this root key certified. The "
      "device trains\n"
      "# only models that this root key has signed.\n"
      "[secure_aggregation]\nroot = \"{}\"\n",
      client.root);
  if (client.threat_model == secure_aggregation::ThreatModel::active) out += "threat_model = \"active\"\n";
  if (client.honest_min == 2)
    out +=
        "# The smallest sum is that of three clients. If one of them colludes with the aggregator, it "
        "subtracts "
        "its own\n"
        "# update, and the sum of two is left. Without this line the client takes part only in larger "
        "sums.\n";
  if (client.honest_min) out += fmt::format("honest_min = {}\n", *client.honest_min);
  return out;
}

}  // namespace

std::string text_of(const ClientText& client) {
  return fmt::format(
      "# The configuration of hansa-client on one device. All keys: docs/configuration.md.\n"
      "# Paths are relative to this file's folder, which may be moved to any place on the device.\n\n"
      "[client]\n"
      "name = \"{client}\"                   # the aggregator admits it by admitted/{client}.pub\n"
      "federation = \"{federation}\"\n"
      "key = \"{secret_key}\"                  # secret: stays on this device\n"
      "state = \"{state}\"                     # what the client keeps; the client creates it\n"
      "# after_federation = \"stay\"           # wait for another run; by default the client ends\n\n"
      "[aggregator]\n"
      "address = {address}\n"
      "public_key = \"{key}\"   # the client connects to no other aggregator\n"
      "{enrolment}"
      "{proxy}\n"
      "# The examples this device trains on. None of them is sent.\n"
      "[data]\n"
      "{data}\n"
      "{secure}\n"
      "# The resources that training may use.\n"
      "[resources]\n"
      "threads = 1\n"
      "# nice = 10\n"
      "# memory_mib_max = 512\n",
      fmt::arg("client", client.name), fmt::arg("federation", client.federation),
      fmt::arg("address", addresses_text(client.addresses)), fmt::arg("key", client.aggregator.text()),
      fmt::arg("secret_key", client.key), fmt::arg("state", client.state),
      fmt::arg("enrolment", client.enrolment.empty()
                                ? ""
                                : fmt::format("enrolment = \"{}\"   # for a change of this device's key: "
                                              "hansa-client rotate\n",
                                              client.enrolment)),
      fmt::arg("proxy", client.proxy.empty() ? "" : fmt::format("proxy = \"{}\"\n", client.proxy)),
      fmt::arg("data", client.data.empty() ? std::string(data_to_fill_in) : client.data),
      fmt::arg("secure", root_text(client)));
}

}  // namespace hansa::client
