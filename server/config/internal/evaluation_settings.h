// [evaluation]: the settings of a data source, and when to evaluate.
#pragma once
#include <array>

#include "common/config/schema.h"
#include "learning/data/data_settings.h"

namespace hansa::server::internal {

inline constexpr std::array evaluation_settings = config::join(
    learning::data_settings,
    std::array{
        config::Setting{
            .key = "every",
            .kind = config::Kind::integer,
            .presence = config::Presence::defaulted,
            .default_value = "1",
            .meaning =
                "Number of rounds from one evaluation to the next; the last round is always evaluated.",
            .unit = "rounds",
            .range = {.least = 1, .most = 1'000'000},
            .example = "5"},
        config::Setting{.key = "threads",
                        .kind = config::Kind::integer,
                        .presence = config::Presence::defaulted,
                        .default_value = "1",
                        .meaning = "Threads for the evaluation.",
                        .unit = "threads",
                        .range = {.least = 1, .most = 1'024},
                        .example = "4"},
    });

}  // namespace hansa::server::internal
