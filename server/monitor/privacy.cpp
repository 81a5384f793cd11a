#include "server/monitor/privacy.h"

#include <cmath>

namespace hansa::server {
namespace {

using secure_aggregation::ThreatModel;

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

void add_what_is_always_seen(std::vector<Seen>& out) {
  out.push_back(
      {"Training examples", false,
       "They stay on the devices. But what is visible below is computed from them, and can show something "
       "about them."});
  out.push_back({"The text of a device's error", false,
                 "The aggregator gets a code and numbers, unless the device sets report_details. That a "
                 "training diverged "
                 "is visible."});
  out.push_back({"Which clients take part, and when their messages arrive", true,
                 "The aggregator chooses the cohort of each round."});
  out.push_back(
      {"The global model and the history of the run", true, "Every client gets the current model too."});
}

void add_statistics(const FederationConfig& config, std::vector<Seen>& out) {
  if (!config.statistics) return;
  const std::string which = "number, mean and mean square of the values of each input column";
  if (config.secure_aggregation)
    out.push_back(
        {"Statistics of the inputs, of a single client", false,
         "Of devices with scale = \"federation\", the aggregator learns " + which +
             ", over the cohort. The sums are exact: if one client's values are far smaller, or have more "
             "decimals, than all others', the last digits of the sum are that client's."});
  else
    out.push_back({"Statistics of the inputs, of a single client", true,
                   "Of each device with scale = \"federation\", the aggregator learns " + which + "."});
}

void add_secure(const FederationConfig& config, std::vector<Seen>& out) {
  const SecureAggregationConfig& secure = *config.secure_aggregation;
  out.push_back({"A single client's update", false,
                 "It is masked. The aggregator sees the sum over the clients whose masked vectors arrived. "
                 "The sum of few "
                 "updates is not anonymous, and there is no differential privacy."});
  out.push_back(
      {"The sum of the updates", true,
       "Rounded and clipped values, a histogram of their octaves, and the mean magnitude of each segment."});
  out.push_back(
      {"Metrics of a single client's training", false,
       secure.metrics.empty()
           ? "No metric is summed: secure_aggregation.metrics is empty."
           : "Summed over the cohort: " + joined(secure.metrics) +
                 ". An aggregator that follows the protocol drops a metric that few clients have."});
  out.push_back({"A single client's number of examples", false,
                 "Its report is rounded up to a power of two, and so is the number of its new examples."});
  const MethodDescription* method = find_method(built_in_methods(), config.method.name);
  if (method != nullptr && training_config(*method, config.method).steps_max > 0)
    out.push_back(
        {"The weight of a client that has many examples", true,
         "With steps_max, each client with more examples has the weight steps_max times batch_size."});
  out.push_back({"How long a client trained", true, "Rounded up to a power of two."});
  if (config.client_evaluation)
    out.push_back({"A single client's measurements on held-out examples", false,
                   "The aggregator sees exact sums over the cohort, and in which ranges how many clients' "
                   "means are. The "
                   "counts show how many clients held an example out."});
  const std::string deviates =
      "A single client's masked update, if the aggregator deviates from the protocol";
  if (secure.assumptions.threat_model == ThreatModel::active)
    out.push_back(
        {deviates, false,
         "The clients agree on the survivors before a sum is unmasked. What remains: the aggregator "
         "chooses the cohorts and the values of the model. It can choose values with which the data of one "
         "client dominates a sum, and with a slightly changed model it can have nearly the same updates "
         "summed with other clients, and subtract."});
  else
    out.push_back(
        {deviates, true,
         "This threat model trusts the aggregator to follow the protocol. One that shows different "
         "survivors to different clients, and has the help of a corrupt client, can open single updates; "
         "threat_model = \"active\" is against that."});
}

void add_plain(const FederationConfig& config, std::vector<Seen>& out) {
  out.push_back(
      {"A single client's update", true, "Secure aggregation is not enabled: updates are not masked."});
  out.push_back({"Metrics of a single client's training", true, "As the client reports them."});
  out.push_back({"A single client's number of examples", true, "It is the weight of its update."});
  out.push_back({"How long a client trained", true, "As the client reports it."});
  if (config.client_evaluation)
    out.push_back({"A single client's measurements on held-out examples", true,
                   "Loss and accuracy of each client, and the number of its held-out examples."});
}

}  // namespace

std::vector<Seen> seen_by_aggregator(const FederationConfig& config) {
  std::vector<Seen> out;
  if (config.secure_aggregation) add_secure(config, out);
  else add_plain(config, out);
  add_statistics(config, out);
  add_what_is_always_seen(out);
  return out;
}

std::optional<PrivacyThresholds> privacy_thresholds(const FederationConfig& config) {
  if (!config.secure_aggregation) return std::nullopt;
  const secure_aggregation::Assumptions& assumptions = config.secure_aggregation->assumptions;
  const std::uint32_t clients = config.cohort.clients_min;
  const auto parameters = secure_aggregation::choose_parameters(clients, assumptions);
  if (!parameters) return std::nullopt;
  return PrivacyThresholds{clients, parameters->threshold,
                           secure_aggregation::corrupt_clients(clients, assumptions),
                           static_cast<std::uint32_t>(std::floor(assumptions.dropout * clients + 1e-9))};
}

}  // namespace hansa::server
