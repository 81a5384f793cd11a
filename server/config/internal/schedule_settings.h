// [schedule]: when rounds start, and when no further one does.
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
        .meaning = "A condition: this time has passed since the start of the last round; 0 for none.",
        .unit = "seconds",
        .range = {.least = 0, .most = 31'536'000},
        .example = "3600"},
    config::Setting{.key = "at",
                    .kind = config::Kind::texts,
                    .presence = config::Presence::optional,
                    .meaning =
                        "A condition: one of these times has come since the start of the last round. They "
                        "have the syntax of cron and the time zone of this machine (`TZ`): `MINUTE HOUR DAY "
                        "MONTH WEEKDAY`. A time that passes during a "
                        "round, or while the aggregator is off, counts once.",
                    .range = {.least = 1, .most = 128},
                    .example = "[\"30 2 * * *\", \"0 12 * * sat,sun\"]"},
    config::Setting{.key = "new_examples",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "0",
                    .meaning = "A condition: connected clients together have this many new examples; 0 for "
                               "none. Clients that hide their numbers for secure aggregation "
                               "report powers of two.",
                    .unit = "examples",
                    .range = {.least = 0, .most = 1'000'000'000'000},
                    .example = "500"},
    config::Setting{.key = "clients_with_new",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "0",
                    .meaning = "A condition: this many connected clients have new examples; 0 for none.",
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

inline constexpr std::array schedule_until_settings{
    config::Setting{.key = "reaches",
                    .kind = config::Kind::number,
                    .presence = config::Presence::optional,
                    .meaning =
                        "The run ends when a round is this good in `store.metric`: at least this value "
                        "for an accuracy, at most for a loss or an error. Without evaluations it is "
                        "the training loss.",
                    .range = {.least = -1e300, .most = 1e300},
                    .example = "0.95"},
    config::Setting{.key = "without_better",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "0",
                    .meaning = "The run ends when this many rounds have passed since its best round; 0 for "
                               "no limit. The best round is named at the end.",
                    .unit = "rounds",
                    .range = {.least = 0, .most = 1'000'000},
                    .example = "20"},
    config::Setting{.key = "hours",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "0.0",
                    .meaning = "The run ends this long after the start of its first round; 0 for no limit.",
                    .unit = "hours",
                    .range = {.least = 0, .most = 1e6},
                    .example = "72.0"},
};

}  // namespace hansa::server::internal
