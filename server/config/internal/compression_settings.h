// [compression] and its rules.
#pragma once
#include <array>

#include "common/config/schema.h"

namespace hansa::server::internal {

inline constexpr std::array compression_settings{
    config::Setting{
        .key = "uplink",
        .presence = config::Presence::defaulted,
        .default_value = "\"q1-rotated\"",
        .meaning =
            "Codec of the updates: [compression.md](compression.md). Not used with secure aggregation.",
        .range = {.least = 1, .most = 64},
        .example = "\"topk(0.01, q4)\""},
    config::Setting{.key = "downlink",
                    .presence = config::Presence::defaulted,
                    .default_value = "\"q4-rotated\"",
                    .meaning = "Codec of the model deltas, which lead from one model to the next; with "
                               "`\"f32\"` models are sent in full.",
                    .range = {.least = 1, .most = 64},
                    .example = "\"q4-rotated\""},
    config::Setting{.key = "full_every",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "0",
                    .meaning = "Number of rounds after which the exact model is sent in full to all clients; "
                               "0 for only when there are no deltas that lead to it.",
                    .unit = "rounds",
                    .range = {.least = 0, .most = 1'000'000},
                    .example = "50"},
    config::Setting{.key = "entropy",
                    .kind = config::Kind::boolean,
                    .presence = config::Presence::defaulted,
                    .default_value = "true",
                    .meaning = "Whether encoded bytes are compressed with zstd if that makes them smaller.",
                    .example = "false"},
};

inline constexpr std::array compression_rule_settings{
    config::Setting{
        .key = "match",
        .meaning =
            "Names of parameters; `*` matches any characters. The first rule that matches a name applies.",
        .range = {.least = 1, .most = 256},
        .example = "\"*.bias\""},
    config::Setting{.key = "codec",
                    .meaning = "Codec of these parameters in updates, instead of `uplink`.",
                    .range = {.least = 1, .most = 64},
                    .example = "\"f32\""},
};

}  // namespace hansa::server::internal
