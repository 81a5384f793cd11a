// [compression] and its rules.
#pragma once
#include <array>

#include "common/config/schema.h"

namespace hansa::server::internal {

inline constexpr std::array compression_settings{
    config::Setting{.key = "uplink",
                    .presence = config::Presence::defaulted,
                    .default_value = "\"q1-rotated\"",
                    .meaning = "Codec of the updates: [compression.md](compression.md). Not for secure sums.",
                    .range = {.least = 1, .most = 64},
                    .example = "\"topk(0.01, q4)\""},
    config::Setting{.key = "downlink",
                    .presence = config::Presence::defaulted,
                    .default_value = "\"q4-rotated\"",
                    .meaning =
                        "Codec of the steps from the model that a client has to the next one; with `\"f32\"` "
                        "models go whole.",
                    .range = {.least = 1, .most = 64},
                    .example = "\"q4-rotated\""},
    config::Setting{.key = "full_every",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "0",
                    .meaning =
                        "The exact model goes whole to all clients after every so many rounds; 0 for only "
                        "where no steps lead to it.",
                    .unit = "rounds",
                    .range = {.least = 0, .most = 1'000'000},
                    .example = "50"},
    config::Setting{
        .key = "entropy",
        .kind = config::Kind::boolean,
        .presence = config::Presence::defaulted,
        .default_value = "true",
        .meaning = "Whether what is encoded is packed once more by zstd, where that makes it smaller.",
        .example = "false"},
};

inline constexpr std::array compression_rule_settings{
    config::Setting{
        .key = "match",
        .meaning =
            "Names of parameters, with `*` for any characters. The first rule that fits a name counts.",
        .range = {.least = 1, .most = 256},
        .example = "\"*.bias\""},
    config::Setting{.key = "codec",
                    .meaning = "Codec of their part of the updates, instead of `uplink`.",
                    .range = {.least = 1, .most = 64},
                    .example = "\"f32\""},
};

}  // namespace hansa::server::internal
