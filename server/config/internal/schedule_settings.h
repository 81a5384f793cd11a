// [schedule]: when rounds start.
#pragma once
#include <array>

#include "common/config/schema.h"

namespace hansa::server::internal {

inline constexpr std::array<std::string_view, 2> schedule_combinations{"all", "any"};

inline constexpr std::array schedule_settings{
    config::Setting{
        .key = "every_s",
        .kind = config::Kind::integer,
        .presence = config::Presence::defaulted,
        .default_value = "0",
        .meaning = "Shortest time from the start of a round to the start of the next; 0 for none.",
        .unit = "seconds",
        .range = {.least = 0, .most = 31'536'000},
        .example = "3600"},
    config::Setting{.key = "at",
                    .kind = config::Kind::texts,
                    .presence = config::Presence::optional,
                    .meaning =
                        "Times at which a round starts, in the syntax of cron and the time zone of this "
                        "machine (`TZ`): `MINUTE HOUR DAY MONTH WEEKDAY`. A time that passes during a "
                        "round, or while the aggregator is off, counts once.",
                    .range = {.least = 1, .most = 128},
                    .example = "[\"30 2 * * *\", \"0 12 * * sat,sun\"]"},
    config::Setting{.key = "new_examples",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "0",
                    .meaning = "New examples that the connected clients together must have before a round "
                               "starts; 0 for none. Clients that hide their numbers for secure aggregation "
                               "report powers of two.",
                    .unit = "examples",
                    .range = {.least = 0, .most = 1'000'000'000'000},
                    .example = "500"},
    config::Setting{
        .key = "clients_with_new",
        .kind = config::Kind::integer,
        .presence = config::Presence::defaulted,
        .default_value = "0",
        .meaning = "Connected clients that must have new examples before a round starts; 0 for none.",
        .unit = "clients",
        .range = {.least = 0, .most = 100'000},
        .example = "3"},
    config::Setting{
        .key = "combine",
        .kind = config::Kind::choice,
        .presence = config::Presence::defaulted,
        .default_value = "\"all\"",
        .meaning = "Whether a round starts when `all` of these conditions hold, or `any` of them.",
        .choices = schedule_combinations,
        .example = "\"any\""},
    config::Setting{.key = "quiet",
                    .kind = config::Kind::texts,
                    .presence = config::Presence::optional,
                    .meaning =
                        "Parts of the day in which no round starts, in the time zone of this machine. A "
                        "round that is running continues.",
                    .range = {.least = 1, .most = 32},
                    .example = "[\"08:00-18:00\"]"},
};

}  // namespace hansa::server::internal
