// [training], [cohort] and [limits]: the settings of a round.
#pragma once
#include <array>
#include <string_view>

#include "common/config/schema.h"
#include "server/config/internal/fraction.h"
#include "server/methods/rate_schedule.h"

namespace hansa::server::internal {

inline constexpr std::array<std::string_view, 2> precision_names{"float32", "bfloat16"};

inline constexpr std::array training_settings{
    config::Setting{.key = "epochs",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "1",
                    .meaning = "Number of passes over its own examples that a client makes in a round.",
                    .range = {.least = 1, .most = 1'000},
                    .example = "2"},
    config::Setting{.key = "batch_size",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "32",
                    .meaning = "Examples in an optimiser step.",
                    .unit = "examples",
                    .range = {.least = 1, .most = 65'536},
                    .example = "64"},
    config::Setting{.key = "learning_rate",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "0.05",
                    .meaning =
                        "Step size of the clients' optimiser; `[training.schedule]` changes it over the "
                        "rounds.",
                    .range = {.least = 0, .most = 1'000, .at_least = config::Bound::exclusive},
                    .example = "0.02"},
    config::Setting{.key = "momentum",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "0.0",
                    .meaning = "Momentum of the clients' SGD; it starts at zero in each round.",
                    .range = {.least = 0, .most = 1, .at_most = config::Bound::exclusive},
                    .example = "0.9"},
    config::Setting{.key = "nesterov",
                    .kind = config::Kind::boolean,
                    .presence = config::Presence::defaulted,
                    .default_value = "false",
                    .meaning = "Nesterov's momentum, for a `momentum` above 0.",
                    .example = "true"},
    config::Setting{.key = "weight_decay",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "0.0",
                    .meaning =
                        "L2 coefficient of the clients' optimiser; with the method `adamw` the weights "
                        "decay apart from the gradient.",
                    .range = {.least = 0, .most = 1'000},
                    .example = "0.0001"},
    config::Setting{.key = "steps_max",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "0",
                    .meaning = "Maximum number of optimiser steps of a client in a round; 0 for no limit.",
                    .unit = "steps",
                    .range = {.least = 0, .most = 4'000'000'000},
                    .example = "500"},
    config::Setting{.key = "clip_norm",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "0.0",
                    .meaning =
                        "Largest Euclidean norm of the gradient of a step, which is scaled down to it; 0 for "
                        "no limit.",
                    .range = {.least = 0, .most = 1'000'000},
                    .example = "1.0"},
    config::Setting{.key = "clip_value",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "0.0",
                    .meaning =
                        "Largest magnitude of each value of the gradient; 0 for no limit. It comes before "
                        "`clip_norm`.",
                    .range = {.least = 0, .most = 1'000'000},
                    .example = "0.5"},
    config::Setting{.key = "accumulate",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "1",
                    .meaning =
                        "Parts into which each batch is divided, whose gradients are computed one after the "
                        "other and added: for devices whose memory does not hold a whole batch. The step "
                        "is that of the whole batch, but layers that normalise batches see a part.",
                    .unit = "parts",
                    .range = {.least = 1, .most = 65'536},
                    .example = "4"},
    config::Setting{.key = "precision",
                    .kind = config::Kind::choice,
                    .presence = config::Presence::defaulted,
                    .default_value = "\"float32\"",
                    .meaning =
                        "`bfloat16` computes products of matrices and convolutions in half the bytes "
                        "(mixed precision); weights, gradients and losses stay float32. Faster only on "
                        "processors that have it: [performance.md](performance.md).",
                    .choices = precision_names,
                    .example = "\"bfloat16\""},
};

inline constexpr std::array training_schedule_settings{
    config::Setting{
        .key = "kind",
        .kind = config::Kind::choice,
        .presence = config::Presence::defaulted,
        .default_value = "\"constant\"",
        .meaning = "How the learning rate changes over the rounds after the warm-up: `step` multiplies it "
                   "by `factor` each `every` rounds, `cosine` lowers it along half a cosine until the "
                   "last round (Loshchilov and Hutter 2017), `inverse_sqrt` divides it by the root of "
                   "the rounds so far.",
        .choices = rate_schedule_names,
        .example = "\"cosine\""},
    config::Setting{.key = "warm_up",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "0",
                    .meaning = "Rounds in which the learning rate grows linearly to its full value.",
                    .unit = "rounds",
                    .range = {.least = 0, .most = 1'000'000},
                    .example = "5"},
    config::Setting{.key = "every",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "10",
                    .meaning = "Of `step`: rounds between two reductions.",
                    .unit = "rounds",
                    .range = {.least = 1, .most = 1'000'000},
                    .example = "30"},
    config::Setting{.key = "factor",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "0.5",
                    .meaning = "Of `step`: what is left of the rate after a reduction.",
                    .range = {.least = 0, .most = 1, .at_least = config::Bound::exclusive},
                    .example = "0.1"},
    config::Setting{.key = "lowest",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "0.0",
                    .meaning = "Of `cosine`: the rate of the last round, as a fraction of the full rate.",
                    .range = {.least = 0, .most = 1},
                    .example = "0.01"},
    config::Setting{.key = "rounds",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "0",
                    .meaning = "Of `cosine`: the round with the lowest rate; 0 for `federation.rounds`.",
                    .unit = "rounds",
                    .range = {.least = 0, .most = 1'000'000},
                    .example = "100"},
};

inline constexpr std::array<std::string_view, 2> cohort_modes{"synchronous", "buffered"};

inline constexpr std::array cohort_settings{
    config::Setting{
        .key = "mode",
        .kind = config::Kind::choice,
        .presence = config::Presence::defaulted,
        .default_value = "\"synchronous\"",
        .meaning = "`synchronous`: a round waits for the clients that it has selected. `buffered`: clients "
                   "train continuously, and every `updates` updates make a model: "
                   "[round.md](round.md#buffered-aggregation).",
        .choices = cohort_modes,
        .example = "\"buffered\""},
    config::Setting{.key = "clients_min",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "2",
                    .meaning = "Clients without which no round starts: connected, with data, and with new "
                               "data if they train only on new data.",
                    .unit = "clients",
                    .range = {.least = 1, .most = 100'000},
                    .example = "10"},
    config::Setting{.key = "clients_expected",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "0",
                    .meaning = "Number of clients for which the first round after a start waits up to "
                               "`gather_s`; 0 for `clients_min`.",
                    .unit = "clients",
                    .range = {.least = 0, .most = 100'000},
                    .example = "12"},
    config::Setting{
        .key = "gather_s",
        .kind = config::Kind::number,
        .presence = config::Presence::defaulted,
        .default_value = "30.0",
        .meaning = "How long the first round waits for `clients_expected` once `clients_min` are connected.",
        .unit = "seconds",
        .range = {.least = 0, .most = 31'536'000},
        .example = "60"},
    config::Setting{.key = "fraction",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "1.0",
                    .meaning = "Fraction of the connected clients that is selected for a round.",
                    .range = fraction,
                    .example = "0.1"},
    config::Setting{.key = "size_max",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "0",
                    .meaning = "Maximum number of clients selected for a round; 0 for no limit.",
                    .unit = "clients",
                    .range = {.least = 0, .most = 100'000},
                    .example = "100"},
    config::Setting{
        .key = "over_select",
        .kind = config::Kind::boolean,
        .presence = config::Presence::defaulted,
        .default_value = "false",
        .meaning = "Selects more clients than `fraction` and `size_max` say, by the part of the selected "
                   "ones whose updates did not come in the last rounds, and at most twice as many. The "
                   "quorum stays that of the wanted number.",
        .example = "true"},
    config::Setting{.key = "quorum",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "0.8",
                    .meaning =
                        "Fraction of the selected clients whose updates a round needs, rounded to the "
                        "nearest number of clients: 0.8 of 2 is 2, of 3 is 2, of 4 is 3, of 5 is 4, of "
                        "10 is 8. Secure aggregation may need more.",
                    .range = fraction,
                    .example = "0.5"},
    config::Setting{.key = "wait_s",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "0.0",
                    .meaning =
                        "How long the aggregator waits for `clients_min`; then it fails, and names who "
                        "is missing and why. 0: it waits for ever, and reports the same from time to "
                        "time. A simulation waits for at most 120 s of its time.",
                    .unit = "seconds",
                    .range = {.least = 0, .most = 31'536'000},
                    .example = "600"},
    config::Setting{
        .key = "deadline_s",
        .kind = config::Kind::number,
        .presence = config::Presence::defaulted,
        .default_value = "300.0",
        .meaning =
            "How long a round may take. Then it closes with the updates that have arrived if they are "
            "a quorum; otherwise it waits while bytes still arrive, for at most four times as long, or is "
            "repeated.",
        .unit = "seconds",
        .range = {.least = 0, .most = 31'536'000, .at_least = config::Bound::exclusive},
        .example = "120"},
    config::Setting{
        .key = "attempts_max",
        .kind = config::Kind::integer,
        .presence = config::Presence::defaulted,
        .default_value = "0",
        .meaning =
            "Maximum number of attempts of one round that misses its quorum; then the aggregator fails. An "
            "attempt after which rounds can go on without the client that failed it does not count. 0: no "
            "limit, and at most a minute between two attempts. A simulation makes at most 5.",
        .unit = "attempts",
        .range = {.least = 0, .most = 1'000},
        .example = "3"},
};

inline constexpr std::array<std::string_view, 2> buffered_weights{"updates", "examples"};

inline constexpr std::array cohort_buffered_settings{
    config::Setting{.key = "updates",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "10",
                    .meaning = "K: the number of updates that make a model. With secure aggregation: the "
                               "clients of a group, whose sum makes a model.",
                    .unit = "updates",
                    .range = {.least = 1, .most = 10'000},
                    .example = "32"},
    config::Setting{
        .key = "staleness_max",
        .kind = config::Kind::integer,
        .presence = config::Presence::defaulted,
        .default_value = "20",
        .meaning =
            "An update is dropped if more models than this were made since the one that it was trained "
            "on, and its client gets a new task. An update counts 1 / sqrt(1 + staleness).",
        .unit = "models",
        .range = {.least = 0, .most = 1'000},
        .example = "50"},
    config::Setting{.key = "concurrency",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "0",
                    .meaning = "Maximum number of clients that train at the same time, chosen by "
                               "`strategy.selection` from those that are free; 0 for all. With secure "
                               "aggregation: K times the groups that work at the same time, each of which "
                               "takes the memory of a masked sum.",
                    .unit = "clients",
                    .range = {.least = 0, .most = 100'000},
                    .example = "100"},
    config::Setting{.key = "weights",
                    .kind = config::Kind::choice,
                    .presence = config::Presence::defaulted,
                    .default_value = "\"updates\"",
                    .meaning = "What an update counts before its staleness: `updates`: as much as each other "
                               "one, as in the paper; `examples`: the number of its examples, as secure "
                               "aggregation needs.",
                    .choices = buffered_weights,
                    .example = "\"examples\""},
};

inline constexpr std::array limits_settings{
    config::Setting{.key = "examples_max",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "1048576",
                    .meaning = "Maximum weight of a client in a round: an update with more examples is "
                               "refused, and so is one with "
                               "more than four times the examples that the client reported, plus 1,024.",
                    .unit = "examples",
                    .range = {.least = 1, .most = 536'870'912},
                    .example = "100000"},
    config::Setting{
        .key = "magnitude_max",
        .kind = config::Kind::number,
        .presence = config::Presence::defaulted,
        .default_value = "64.0",
        .meaning =
            "Maximum magnitude of a value in an update: an update with a larger value is refused. Clients "
            "accept no limit below 1.",
        .range = {.least = 1, .most = 1'000'000},
        .example = "16.0"},
    config::Setting{.key = "norm_ratio_max",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "10.0",
                    .meaning = "Without secure aggregation: an update whose norm is more than this many "
                               "times the median norm of its "
                               "round is refused. It ends the attempt, and its client is left out of the "
                               "next one. In rounds with at "
                               "least three updates.",
                    .range = {.least = 2, .most = 1'000'000'000},
                    .example = "3.0"},
    config::Setting{.key = "uploads_max",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "8",
                    .meaning = "Maximum number of updates that are received at the same time; others wait.",
                    .unit = "updates",
                    .range = {.least = 1, .most = 1'024},
                    .example = "16"},
    config::Setting{
        .key = "connections_max",
        .kind = config::Kind::integer,
        .presence = config::Presence::defaulted,
        .default_value = "20000",
        .meaning = "Maximum number of open connections. The aggregator raises its limit of open files to "
                   "the hard limit, and allows fewer connections if that is too low.",
        .unit = "connections",
        .range = {.least = 16, .most = 1'000'000},
        .example = "5000"},
    config::Setting{.key = "spool_memory_mib",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "160",
                    .meaning = "Memory for updates that are being received; files are used for more.",
                    .unit = "MiB",
                    .range = {.least = 0, .most = 1'048'576},
                    .example = "256"},
    config::Setting{.key = "kept_updates_memory_mib",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "1024",
                    .meaning =
                        "Memory for all updates of a round, 4 bytes for each value, if `aggregation` is not "
                        "`mean`; files in the run's folder are used for more.",
                    .unit = "MiB",
                    .range = {.least = 0, .most = 1'048'576},
                    .example = "4096"},
    config::Setting{.key = "kept_updates_disk_mib",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "16384",
                    .meaning = "How much of them may be in files. A federation whose rounds may need more "
                               "than memory and files together is refused at the start.",
                    .unit = "MiB",
                    .range = {.least = 0, .most = 16'777'216},
                    .example = "0"},
};

}  // namespace hansa::server::internal
