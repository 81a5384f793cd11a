#include "server/config/internal/buffered_check.h"

#include <string_view>

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

Result<void> check_sum(const Document& document, const FederationConfig& config) {
  if (config.secure_aggregation)
    return refuse(
        document, "secure_aggregation.enabled",
        "is true: masks cancel out only within a cohort that has shared its keys, and the updates of "
        "a buffer are of no cohort",
        "set cohort.mode = \"synchronous\", or secure_aggregation.enabled = false");
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
  return check_cohort(document, config);
}

std::vector<std::string> unused_cohort_settings(const Document& document, const CohortConfig& cohort) {
  std::vector<std::string> out;
  const bool is_buffered = cohort.mode == CohortMode::buffered;
  if (!is_buffered && document.has_table("cohort.buffered"))
    out.push_back(document.file().string() +
                  ": [cohort.buffered] has no effect, because cohort.mode is \"synchronous\"");
  if (is_buffered && cohort.quorum != CohortConfig{}.quorum)
    out.push_back(document.file().string() +
                  ": cohort.quorum has no effect, because cohort.mode is \"buffered\"");
  return out;
}

}  // namespace hansa::server::internal
