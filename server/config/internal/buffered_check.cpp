#include "server/config/internal/buffered_check.h"

#include <string_view>

#include "protocols/secure_aggregation/parameters.h"
#include "server/methods/server_method.h"

namespace hansa::server::internal {
namespace {

using config::Document;

Result<void> refuse(const Document& document, std::string_view key, const std::string& what,
                    const std::string& hint) {
  return fail(ErrorCode::usage, document.location(key), what, hint);
}

Result<void> check_cohort(const Document& document, const FederationConfig& config) {
  const std::string concurrency =
      "leave it out; cohort.buffered.concurrency limits how many clients train at the same time";
  if (config.cohort.fraction != 1)
    return refuse(document, "cohort.fraction",
                  "selects the cohort of a round, and cohort.mode = \"buffered\" has none", concurrency);
  if (config.cohort.size_max != 0)
    return refuse(document, "cohort.size_max",
                  "limits the cohort of a round, and cohort.mode = \"buffered\" has none", concurrency);
  if (config.cohort.over_select)
    return refuse(document, "cohort.over_select",
                  "selects spares for the cohort of a round, and cohort.mode = \"buffered\" has none",
                  "leave it out: no buffer waits for a client that drops out");
  if (config.selection.name != "uniform" && config.cohort.buffered.concurrency == 0)
    return refuse(
        document, "strategy.selection",
        "is \"" + config.selection.name +
            "\", and with cohort.mode = \"buffered\" and cohort.buffered.concurrency = 0 all clients "
            "train, so that none is selected",
        "set cohort.buffered.concurrency, or use \"uniform\"");
  if (config.schedule.is_set())
    return refuse(document, "schedule",
                  "makes rounds wait for their start, and with cohort.mode = \"buffered\" clients train "
                  "continuously",
                  "leave the conditions out; [schedule.until] may stay");
  return {};
}

// With secure aggregation K clients form a group that shares keys: a cohort of K.
Result<void> check_groups(const Document& document, const FederationConfig& config) {
  if (!config.secure_aggregation) return {};
  const SecureAggregationConfig& secure = *config.secure_aggregation;
  const std::uint32_t size = config.cohort.buffered.updates;
  const auto number = [](std::uint32_t value) { return std::to_string(value); };
  const std::uint32_t least = secure_aggregation::cohort_min(secure.assumptions, secure.honest_min);
  if (size < least)
    return refuse(document, "cohort.buffered.updates",
                  "is " + number(size) +
                      ": with secure aggregation as many clients form a group, whose sum needs " +
                      number(least) + " with secure_aggregation.corrupt and honest_min",
                  "set it to " + number(least) + " or more");
  if (auto found = secure_aggregation::choose_parameters(size, secure.assumptions); !found)
    return refuse(document, "cohort.buffered.updates",
                  "is " + number(size) + ", the clients of a group: " + found.error().what,
                  found.error().hint);
  if (config.cohort.clients_min < size)
    return refuse(document, "cohort.clients_min",
                  "is " + number(config.cohort.clients_min) +
                      ", and with secure aggregation a group needs cohort.buffered.updates = " +
                      number(size) + " clients",
                  "set it to " + number(size) + " or more, or lower cohort.buffered.updates");
  if (const std::uint32_t most = config.cohort.buffered.concurrency; most > 0 && most < size)
    return refuse(document, "cohort.buffered.concurrency",
                  "is " + number(most) +
                      ", and with secure aggregation a group has cohort.buffered.updates = " + number(size) +
                      " clients",
                  "set it to " + number(size) + " times the groups that may work at the same time, or to 0");
  if (config.cohort.buffered.weights != BufferedConfig::Weights::examples)
    return refuse(document, "cohort.buffered.weights",
                  "is \"updates\", and with secure aggregation the clients of a group weigh their updates "
                  "themselves, by their examples",
                  "set it to \"examples\"");
  if (config.selection.name != "uniform")
    return refuse(document, "strategy.selection",
                  "is \"" + config.selection.name +
                      "\", and with secure aggregation groups are formed by when clients are ready and how "
                      "fast they are",
                  "use \"uniform\", or set cohort.mode = \"synchronous\"");
  return {};
}

Result<void> check_sum(const Document& document, const FederationConfig& config) {
  if (keeps_updates(config.aggregation))
    return refuse(
        document, "strategy.aggregation",
        "is \"" + config.aggregation.name +
            "\", which counts on one update of each client, and a fast client may have several in a "
            "buffer",
        "use \"mean\", or set cohort.mode = \"synchronous\"");
  HANSA_TRY(const auto vectors, exchanged_vectors(*find_method(built_in_methods(), config.method.name)));
  if (!vectors.empty() || needs_rounds(config.method.name))
    return refuse(
        document, "strategy.method",
        "is \"" + config.method.name +
            "\", whose corrections belong to the updates of one round, and a buffer mixes updates of "
            "several models",
        "use another method, or set cohort.mode = \"synchronous\"");
  return {};
}

}  // namespace

Result<void> check_buffered(const Document& document, const FederationConfig& config) {
  if (config.cohort.mode != CohortMode::buffered) return {};
  HANSA_TRY_VOID(check_sum(document, config));
  HANSA_TRY_VOID(check_groups(document, config));
  return check_cohort(document, config);
}

std::vector<std::string> unused_cohort_settings(const Document& document, const FederationConfig& config) {
  std::vector<std::string> out;
  const CohortConfig& cohort = config.cohort;
  const bool is_buffered = cohort.mode == CohortMode::buffered;
  if (!is_buffered && document.has_table("cohort.buffered"))
    out.push_back(document.file().string() +
                  ": [cohort.buffered] has no effect, because cohort.mode is \"synchronous\"");
  if (is_buffered && !config.secure_aggregation && cohort.quorum != CohortConfig{}.quorum)
    out.push_back(document.file().string() +
                  ": cohort.quorum has no effect, because cohort.mode is \"buffered\"");
  return out;
}

}  // namespace hansa::server::internal
