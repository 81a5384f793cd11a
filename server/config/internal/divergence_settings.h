// [divergence]: what happens when the training diverges.
#pragma once
#include <array>

#include "common/config/schema.h"

namespace hansa::server::internal {

inline constexpr std::array<std::string_view, 3> divergence_actions{"off", "warn", "stop"};

inline constexpr std::array divergence_settings{
    config::Setting{.key = "action",
                    .kind = config::Kind::choice,
                    .presence = config::Presence::defaulted,
                    .default_value = "\"warn\"",
                    .meaning =
                        "What the aggregator does when the training loss or the norm of the aggregated "
                        "update jumps, or is not a number: nothing, a warning that names the best "
                        "round, or a warning and then it stops with exit code 3. The round is "
                        "committed in every case.",
                    .choices = divergence_actions,
                    .example = "\"stop\""},
    config::Setting{.key = "loss_ratio",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "3.0",
                    .meaning = "The training loss jumps above this many medians of the last rounds, if it is "
                               "also 6 robust standard deviations above the median. It is the median over "
                               "the clients; in a secure sum, the mean.",
                    .range = {.least = 1.01, .most = 1e6},
                    .example = "2.0"},
    config::Setting{.key = "norm_ratio",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "5.0",
                    .meaning = "The same for the Euclidean norm of the mean of the updates.",
                    .range = {.least = 1.01, .most = 1e6},
                    .example = "10.0"},
    config::Setting{.key = "window",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "10",
                    .meaning = "Number of earlier rounds with which a round is compared.",
                    .unit = "rounds",
                    .range = {.least = 3, .most = 1'000},
                    .example = "20"},
};

}  // namespace hansa::server::internal
