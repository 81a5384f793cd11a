// [evaluation]: the settings of a data source, and when to evaluate; and the evaluation on the clients.
#pragma once
#include <array>

#include "common/config/schema.h"
#include "common/hold_out.h"
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

inline constexpr std::array on_clients_settings{
    config::Setting{
        .key = "fraction",
        .kind = config::Kind::number,
        .presence = config::Presence::required,
        .meaning = "Fraction of its examples that each client holds out, and on which it never trains: a "
                   "multiple of 0.05. Another fraction holds other examples out.",
        .range = {.least = 0.05, .most = hold_out_fraction_max},
        .example = "0.2"},
    config::Setting{
        .key = "every",
        .kind = config::Kind::integer,
        .presence = config::Presence::defaulted,
        .default_value = "1",
        .meaning = "Number of rounds from one measurement to the next; the first and the last round always "
                   "measure the model that they begin with.",
        .unit = "rounds",
        .range = {.least = 1, .most = 1'000'000},
        .example = "5"},
};

}  // namespace hansa::server::internal
