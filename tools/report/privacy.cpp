#include "tools/report/sections.h"

#include <algorithm>

#include <fmt/format.h>

#include "server/store/training_metrics.h"
#include "tools/report/parts.h"

namespace hansa::tools {
std::string privacy_section(const server::RunView& view) {
  std::size_t secure = 0, recovered = 0, recovered_most = 0;
  std::uint32_t threshold_least = UINT32_MAX, neighbours_least = UINT32_MAX, value_bits = 0;
  std::size_t summed_least = SIZE_MAX;
  for (const server::RoundRecord& round : view.rounds) {
    if (!round.secure) continue;
    ++secure;
    recovered += round.secure->recovered;
    recovered_most = std::max<std::size_t>(recovered_most, round.secure->recovered);
    threshold_least = std::min(threshold_least, round.secure->threshold);
    neighbours_least = std::min(neighbours_least, round.secure->neighbours);
    value_bits = std::max(value_bits, round.secure->value_bits);
    summed_least = std::min<std::size_t>(summed_least, server::counted_clients(round));
  }
  const std::size_t open = view.rounds.size() - secure;
  std::string out;
  Facts facts;
  facts.add("Rounds with secure aggregation", fmt::format("{} of {}", secure, view.rounds.size()));
  if (secure > 0) {
    out += paragraph(
        "In rounds with secure aggregation the aggregator saw masked updates, and the sum of those that were "
        "counted: no "
        "client's own update, number of examples or metric. It saw who took part, when, and how many bytes "
        "each sent.");
    facts.add("Fewest updates in a sum", std::to_string(summed_least));
    facts.add("Smallest threshold",
              fmt::format("{} shares open a mask, of {} neighbours", threshold_least, neighbours_least));
    facts.add("Dropouts recovered", fmt::format("{}, at most {} in a round", recovered, recovered_most));
    facts.add("Bits of a value", std::to_string(value_bits));
  }
  if (open > 0)
    out += paragraph(
        fmt::format("In {} rounds without secure aggregation the aggregator saw each client's update, its "
                    "number of examples and its metrics, by the client's name.",
                    open == view.rounds.size() ? "all" : std::to_string(open)));
  if (view.statistics)
    out +=
        paragraph(fmt::format("Before the first round the aggregator computed the mean and the deviation of "
                              "{} input columns over the "
                              "data of all clients.",
                              view.statistics->columns()));
  out += paragraph(
      "No noise was added for differential privacy: what a model or a sum reveals about single examples has "
      "no bound. No "
      "example left a device.");
  return section("privacy", "What the aggregator could see", out + facts.html());
}

}  // namespace hansa::tools
