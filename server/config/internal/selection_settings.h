// [strategy.SELECTION]: the options of each selection.
#pragma once
#include <array>

#include "common/config/schema.h"

namespace hansa::server::internal {

consteval config::Setting selection_number(std::string_view key, std::string_view value,
                                           std::string_view meaning, const config::Range& range,
                                           std::string_view example) {
  return {.key = key,
          .kind = config::Kind::number,
          .presence = config::Presence::defaulted,
          .default_value = value,
          .meaning = meaning,
          .range = range,
          .example = example};
}

inline constexpr std::array power_of_choice_settings{selection_number(
    "candidates", "2.0", "d: clients that are drawn by their examples, for each place in the cohort.",
    {.least = 1, .most = 1'000'000}, "3.0")};
inline constexpr std::array oort_settings{
    selection_number("exploration", "0.9", "Part of the first cohort that was never counted before.",
                     {.least = 0, .most = 1}, "0.5"),
    selection_number("exploration_decay", "0.98", "Factor of this part from round to round.",
                     {.least = 0, .most = 1, .at_least = config::Bound::exclusive}, "0.95"),
    selection_number("exploration_min", "0.3", "The part below which it does not fall.",
                     {.least = 0, .most = 1}, "0.2"),
    selection_number("round_penalty", "2.0",
                     "Exponent with which clients that take longer than the preferred time lose utility.",
                     {.least = 0, .most = 100}, "1.0"),
    selection_number("preferred_percentile", "0.3", "The preferred time, as a part of the clients' times.",
                     {.least = 0, .most = 1}, "0.5")};

}  // namespace hansa::server::internal
