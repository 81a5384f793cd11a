// [secure_aggregation].
#pragma once
#include <array>

#include "common/config/schema.h"
#include "protocols/secure_aggregation/parameters.h"
#include "server/config/internal/fraction.h"

namespace hansa::server::internal {

inline constexpr std::array secure_aggregation_settings{
    config::Setting{.key = "enabled",
                    .kind = config::Kind::boolean,
                    .presence = config::Presence::defaulted,
                    .default_value = "false",
                    .meaning =
                        "Whether updates are masked, so that the aggregator sees their sum and no single "
                        "one ([security.md](security.md) has the limits). A round then has at most "
                        "1,000 clients.",
                    .example = "true"},
    config::Setting{.key = "root",
                    .presence = config::Presence::optional,
                    .meaning = "The operator's root key, which certifies clients and signs the model: 64 hex "
                               "digits, printed by `hansa keys show --identity`. Required if enabled. If it "
                               "is set, the aggregator starts only with a model that `hansa model sign` has "
                               "signed with this key.",
                    .range = {.least = 64, .most = 64},
                    .example = "\"cd14b37f956e953194ff7fb73b3d81dcc561d61a7538094b7c3e1a643ee5f3aa\""},
    config::Setting{.key = "honest_min",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::optional,
                    .meaning =
                        "The `honest_min` of the clients: how many clients that are not corrupt each sum "
                        "must contain. The aggregator starts no sum that they would refuse; it cannot "
                        "lower what they require. Default: 3, with `threat_model = \"active\"` 10.",
                    .unit = "clients",
                    .range = {.least = 2, .most = 1'000},
                    .example = "2"},
    config::Setting{.key = "epoch",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "1",
                    .meaning =
                        "Epoch of the certificates. Certificates of earlier epochs do not hold: to end "
                        "all of them at once, certify the clients again with `hansa keys certify "
                        "--epoch`, and raise it here. Clients refuse to go back to an earlier epoch.",
                    .range = {.least = 1, .most = 4'294'967'295},
                    .example = "2"},
    config::Setting{
        .key = "threat_model",
        .kind = config::Kind::choice,
        .presence = config::Presence::defaulted,
        .default_value = "\"honest_but_curious\"",
        .meaning =
            "What the aggregator is trusted to do: to follow the protocol while using everything that "
            "it receives, or (`active`) not even that. `active` needs one more exchange, all clients of a "
            "cohort are neighbours, and a cohort has at most 500 clients.",
        .choices = secure_aggregation::threat_model_names,
        .example = "\"active\""},
    config::Setting{
        .key = "corrupt",
        .kind = config::Kind::number,
        .presence = config::Presence::defaulted,
        .default_value = "0.2",
        .meaning =
            "Fraction of a cohort that may collude with the aggregator without opening a single update of "
            "the others; at least one client is assumed.",
        .range = {.least = 0, .most = 0.5, .at_most = config::Bound::exclusive},
        .example = "0.3"},
    config::Setting{.key = "dropout",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "0.1",
                    .meaning = "Fraction of a cohort that may drop out before its masked update arrives "
                               "without the round failing.",
                    .range = {.least = 0, .most = 0.5, .at_most = config::Bound::exclusive},
                    .example = "0.3"},
    config::Setting{.key = "security_bits",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "40",
                    .meaning = "Statistical security of the graph of neighbours: it fails with a probability "
                               "of at most 2^-security_bits.",
                    .unit = "bits",
                    .range = {.least = 20, .most = 80},
                    .example = "60"},
    config::Setting{.key = "value_bits",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "3",
                    .meaning = "Approximate number of bits to which a value of an update is rounded, at "
                               "random and without bias; the grid depends on the cohort.",
                    .unit = "bits",
                    .range = {.least = 2, .most = 24},
                    .example = "8"},
    config::Setting{.key = "rotated",
                    .kind = config::Kind::boolean,
                    .presence = config::Presence::defaulted,
                    .default_value = "true",
                    .meaning = "Whether values are mixed by a random rotation before they are rounded, so "
                               "that one scale fits them all.",
                    .example = "false"},
    config::Setting{.key = "fraction",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "1.0",
                    .meaning = "Fraction of the values that is summed in a round, at the same coordinates "
                               "for all clients; a client adds the omitted values to its next update.",
                    .range = fraction,
                    .example = "0.25"},
    config::Setting{
        .key = "metrics",
        .kind = config::Kind::texts,
        .presence = config::Presence::defaulted,
        .default_value = "[\"loss\", \"accuracy\", \"new_examples\"]",
        .meaning = "The clients' metrics that are summed with their updates; others are not sent.",
        .range = {.least = 1, .most = 64},
        .example = "[\"loss\"]"},
    config::Setting{.key = "phase_s",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "30.0",
                    .meaning = "Longest wait for the keys, the shares and the unmasking of a round; a client "
                               "that is later has dropped out.",
                    .unit = "seconds",
                    .range = {.least = 0.1, .most = 86'400},
                    .example = "120"},
};

}  // namespace hansa::server::internal
