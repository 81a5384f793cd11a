// [strategy.SELECTION]: the options of each selection.
#pragma once
#include <array>

#include "common/config/schema.h"
#include "server/config/internal/number_setting.h"

namespace hansa::server::internal {

inline constexpr std::array power_of_choice_settings{number_setting(
    "candidates", "2.0", "d: clients that are drawn by their examples, for each place in the cohort.",
    {.least = 1, .most = 1'000'000}, "3.0")};
inline constexpr std::array oort_settings{
    number_setting("exploration", "0.9", "Part of the first cohort that was never counted before.",
                   {.least = 0, .most = 1}, "0.5"),
    number_setting("exploration_decay", "0.98", "Factor of this part from round to round.",
                   {.least = 0, .most = 1, .at_least = config::Bound::exclusive}, "0.95"),
    number_setting("exploration_min", "0.3", "The part below which it does not fall.",
                   {.least = 0, .most = 1}, "0.2"),
    number_setting("round_penalty", "2.0",
                   "Exponent with which clients that take longer than the preferred time lose utility.",
                   {.least = 0, .most = 100}, "1.0"),
    number_setting("preferred_percentile", "0.3", "The preferred time, as a part of the clients' times.",
                   {.least = 0, .most = 1}, "0.5")};

}  // namespace hansa::server::internal
