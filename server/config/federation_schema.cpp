#include "server/config/federation_schema.h"

#include <array>

#include "learning/data/data_settings.h"
#include "protocols/secure_aggregation/parameters.h"

namespace hansa::server {
namespace {

using config::Bound;
using config::Kind;
using config::Presence;
using config::Range;
using config::Setting;
using config::Table;

constexpr std::array<std::string_view, 2> after_last_round{"stop", "stay"};
constexpr Range fraction{.least = 0, .most = 1, .at_least = Bound::exclusive};

constexpr std::array federation_settings{
    Setting{
        .key = "name",
        .meaning =
            "What the federation is called; every client names it too. Letters, digits, `-`, `_` and `.`.",
        .range = {.least = 1, .most = 64},
        .example = "\"fashion\""},
    Setting{.key = "seed",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "1",
            .meaning = "Root of all randomness: which clients are picked, and the order in which they see "
                       "their examples.",
            .range = {.least = 0},
            .example = "7"},
    Setting{.key = "rounds",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "20",
            .meaning = "Rounds in all; a run that is continued counts those it has.",
            .range = {.least = 1, .most = 1'000'000},
            .example = "50"},
    Setting{.key = "after_last_round",
            .kind = Kind::choice,
            .presence = Presence::defaulted,
            .default_value = "\"stop\"",
            .meaning = "Whether the aggregator ends after its last round, or stays and answers its clients.",
            .choices = after_last_round,
            .example = "\"stay\""},
};

constexpr std::array aggregator_settings{
    Setting{.key = "bind",
            .presence = Presence::defaulted,
            .default_value = "\"tcp://0.0.0.0:7470\"",
            .meaning = "Address and port on which the aggregator listens.",
            .range = {.least = 1, .most = 255},
            .example = "\"tcp://127.0.0.1:7470\""},
    Setting{.key = "key",
            .kind = Kind::path,
            .meaning = "The aggregator's secret key file, which its owner alone can read. Made by `hansa "
                       "keys generate`.",
            .example = "\"keys/aggregator.key\""},
    Setting{
        .key = "admitted",
        .kind = Kind::path,
        .meaning = "Folder with a public key file `NAME.pub` for each admitted client. Nobody else gets in.",
        .example = "\"admitted\""},
    Setting{.key = "runs",
            .kind = Kind::path,
            .presence = Presence::defaulted,
            .default_value = "\"runs\"",
            .meaning = "Folder in which each run gets a folder of its own.",
            .example = "\"/var/lib/hansa/runs\""},
};

constexpr std::array model_settings{
    Setting{.key = "archive",
            .kind = Kind::path,
            .meaning = "The model, a TorchScript archive. Made by `hansa model create`, or by PyTorch.",
            .example = "\"model.pt\""},
    Setting{.key = "personal",
            .kind = Kind::texts,
            .presence = Presence::optional,
            .meaning =
                "Parameters and buffers that stay on each device: names, or patterns with `*`. They train "
                "there, are kept in the client's state, and never travel. The aggregator evaluates with "
                "the archived ones.",
            .range = {.least = 1, .most = 64},
            .example = "[\"head.*\"]"},
};

constexpr std::array training_settings{
    Setting{.key = "epochs",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "1",
            .meaning = "Passes over its own examples that a client makes in a round.",
            .range = {.least = 1, .most = 1'000},
            .example = "2"},
    Setting{.key = "batch_size",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "32",
            .meaning = "Examples in an optimiser step.",
            .unit = "examples",
            .range = {.least = 1, .most = 65'536},
            .example = "64"},
    Setting{.key = "learning_rate",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "0.05",
            .meaning = "Step size of the clients' SGD.",
            .range = {.least = 0, .most = 1'000, .at_least = Bound::exclusive},
            .example = "0.02"},
    Setting{.key = "momentum",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "0.0",
            .meaning = "Momentum of the clients' SGD; it starts at zero in each round.",
            .range = {.least = 0, .most = 1, .at_most = Bound::exclusive},
            .example = "0.9"},
    Setting{.key = "weight_decay",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "0.0",
            .meaning = "L2 coefficient of the clients' SGD.",
            .range = {.least = 0, .most = 1'000},
            .example = "0.0001"},
    Setting{.key = "steps_max",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "0",
            .meaning = "Optimiser steps a client makes at most in a round; 0 for no limit.",
            .unit = "steps",
            .range = {.least = 0, .most = 4'000'000'000},
            .example = "500"},
};

constexpr std::array cohort_settings{
    Setting{.key = "clients_min",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "2",
            .meaning = "Clients that must be connected before a round may start.",
            .unit = "clients",
            .range = {.least = 1, .most = 100'000},
            .example = "10"},
    Setting{
        .key = "clients_expected",
        .kind = Kind::integer,
        .presence = Presence::defaulted,
        .default_value = "0",
        .meaning =
            "The first round after a start waits up to `gather_s` for so many clients; 0 for `clients_min`.",
        .unit = "clients",
        .range = {.least = 0, .most = 100'000},
        .example = "12"},
    Setting{.key = "gather_s",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "30.0",
            .meaning = "How long the first round waits for `clients_expected`, if `clients_min` are there.",
            .unit = "seconds",
            .range = {.least = 0, .most = 31'536'000},
            .example = "60"},
    Setting{.key = "fraction",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "1.0",
            .meaning = "Share of the connected clients that is picked for a round.",
            .range = fraction,
            .example = "0.1"},
    Setting{.key = "size_max",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "0",
            .meaning = "Clients picked at most for a round; 0 for no limit.",
            .unit = "clients",
            .range = {.least = 0, .most = 100'000},
            .example = "100"},
    Setting{.key = "quorum",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "0.8",
            .meaning = "Share of the picked clients whose updates a round needs.",
            .range = fraction,
            .example = "0.5"},
    Setting{.key = "wait_s",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "120.0",
            .meaning =
                "How long the aggregator waits for `clients_min`; then it says who is missing and gives up.",
            .unit = "seconds",
            .range = {.least = 0, .most = 31'536'000, .at_least = Bound::exclusive},
            .example = "600"},
    Setting{.key = "deadline_s",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "300.0",
            .meaning =
                "How long a round may take; then it closes with those who answered, if they are a quorum. "
                "Without one it waits for bytes that still arrive, else it is tried again.",
            .unit = "seconds",
            .range = {.least = 0, .most = 31'536'000, .at_least = Bound::exclusive},
            .example = "120"},
    Setting{
        .key = "attempts_max",
        .kind = Kind::integer,
        .presence = Presence::defaulted,
        .default_value = "5",
        .meaning = "How often one round is tried when it misses its quorum, before the aggregator gives up.",
        .unit = "attempts",
        .range = {.least = 1, .most = 1'000},
        .example = "3"},
};

constexpr std::array limits_settings{
    Setting{.key = "examples_max",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "1048576",
            .meaning = "Weight of a client in a round at most: an update that claims more is refused.",
            .unit = "examples",
            .range = {.least = 1, .most = 536'870'912},
            .example = "100000"},
    Setting{.key = "magnitude_max",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "64.0",
            .meaning = "Largest size of a single value of an update: one beyond it refuses the whole update.",
            .range = {.least = 0, .most = 1'000'000, .at_least = Bound::exclusive},
            .example = "16.0"},
    Setting{.key = "uploads_max",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "8",
            .meaning = "Updates that are received at the same time; the others wait their turn.",
            .unit = "updates",
            .range = {.least = 1, .most = 1'024},
            .example = "16"},
    Setting{.key = "spool_memory_mib",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "160",
            .meaning = "Memory for updates that are being received; beyond it files are used.",
            .unit = "MiB",
            .range = {.least = 0, .most = 1'048'576},
            .example = "256"},
};

constexpr std::array evaluation_settings =
    config::join(learning::data_settings,
                 std::array{
                     Setting{.key = "every",
                             .kind = Kind::integer,
                             .presence = Presence::defaulted,
                             .default_value = "1",
                             .meaning = "Evaluate after every so many rounds, and after the last.",
                             .unit = "rounds",
                             .range = {.least = 1, .most = 1'000'000},
                             .example = "5"},
                     Setting{.key = "threads",
                             .kind = Kind::integer,
                             .presence = Presence::defaulted,
                             .default_value = "1",
                             .meaning = "Threads for the evaluation.",
                             .unit = "threads",
                             .range = {.least = 1, .most = 1'024},
                             .example = "4"},
                 });

constexpr std::array compression_settings{
    Setting{.key = "uplink",
            .presence = Presence::defaulted,
            .default_value = "\"q1-rotated\"",
            .meaning = "Codec of the updates: [compression.md](compression.md). Not for secure sums.",
            .range = {.least = 1, .most = 64},
            .example = "\"topk(0.01, q4)\""},
    Setting{.key = "downlink",
            .presence = Presence::defaulted,
            .default_value = "\"q4-rotated\"",
            .meaning = "Codec of the steps from the model that a client has to the next one; with `\"f32\"` "
                       "models go whole.",
            .range = {.least = 1, .most = 64},
            .example = "\"q4-rotated\""},
    Setting{.key = "full_every",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "0",
            .meaning = "The exact model goes whole to all clients after every so many rounds; 0 for only "
                       "where no steps lead to it.",
            .unit = "rounds",
            .range = {.least = 0, .most = 1'000'000},
            .example = "50"},
    Setting{.key = "entropy",
            .kind = Kind::boolean,
            .presence = Presence::defaulted,
            .default_value = "true",
            .meaning = "Whether what is encoded is packed once more by zstd, where that makes it smaller.",
            .example = "false"},
};

constexpr std::array compression_rule_settings{
    Setting{.key = "match",
            .meaning =
                "Names of parameters, with `*` for any characters. The first rule that fits a name counts.",
            .range = {.least = 1, .most = 256},
            .example = "\"*.bias\""},
    Setting{.key = "codec",
            .meaning = "Codec of their part of the updates, instead of `uplink`.",
            .range = {.least = 1, .most = 64},
            .example = "\"f32\""},
};

constexpr std::array secure_aggregation_settings{
    Setting{.key = "enabled",
            .kind = Kind::boolean,
            .presence = Presence::defaulted,
            .default_value = "false",
            .meaning = "Whether the aggregator gets the sum of the updates and never a single one. A round "
                       "then has 1,000 "
                       "clients at most.",
            .example = "true"},
    Setting{.key = "root",
            .presence = Presence::optional,
            .meaning =
                "The operator's root key that certifies clients: 64 hex digits, printed by `hansa keys show "
                "--identity`. Needed if enabled.",
            .range = {.least = 64, .most = 64},
            .example = "\"cd14b37f956e953194ff7fb73b3d81dcc561d61a7538094b7c3e1a643ee5f3aa\""},
    Setting{
        .key = "threat_model",
        .kind = Kind::choice,
        .presence = Presence::defaulted,
        .default_value = "\"honest_but_curious\"",
        .meaning =
            "What the aggregator is trusted with: to follow the protocol though it looks at all it gets, or "
            "(`active`) nothing. `active` takes one exchange more, everybody is everybody's neighbour, and "
            "a cohort has 500 clients at most.",
        .choices = secure_aggregation::threat_model_names,
        .example = "\"active\""},
    Setting{.key = "corrupt",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "0.2",
            .meaning = "Part of a cohort that may work with the aggregator without harm to the others.",
            .range = {.least = 0, .most = 0.5, .at_most = Bound::exclusive},
            .example = "0.3"},
    Setting{
        .key = "dropout",
        .kind = Kind::number,
        .presence = Presence::defaulted,
        .default_value = "0.1",
        .meaning =
            "Part of a cohort that may be gone before its masked update arrives, without the round failing.",
        .range = {.least = 0, .most = 0.5, .at_most = Bound::exclusive},
        .example = "0.3"},
    Setting{
        .key = "security_bits",
        .kind = Kind::integer,
        .presence = Presence::defaulted,
        .default_value = "40",
        .meaning =
            "Statistical security of the graph of neighbours: it fails with a probability of 2 to the minus "
            "so many at most.",
        .unit = "bits",
        .range = {.least = 20, .most = 80},
        .example = "60"},
    Setting{
        .key = "value_bits",
        .kind = Kind::integer,
        .presence = Presence::defaulted,
        .default_value = "3",
        .meaning =
            "Bits to which a value of an update is rounded, at random and without bias; about: the grid is "
            "fitted to the cohort.",
        .unit = "bits",
        .range = {.least = 2, .most = 24},
        .example = "8"},
    Setting{.key = "rotated",
            .kind = Kind::boolean,
            .presence = Presence::defaulted,
            .default_value = "true",
            .meaning = "Whether values are mixed by a random rotation before they are rounded, so that one "
                       "grid fits them all.",
            .example = "false"},
    Setting{.key = "fraction",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "1.0",
            .meaning =
                "Fraction of the values that is summed in a round, the same ones for all clients; each "
                "keeps what is left out for its next update.",
            .range = fraction,
            .example = "0.25"},
    Setting{.key = "metrics",
            .kind = Kind::texts,
            .presence = Presence::defaulted,
            .default_value = "[\"loss\", \"accuracy\", \"new_examples\"]",
            .meaning = "The clients' metrics that are summed with their updates; others are not told.",
            .range = {.least = 1, .most = 64},
            .example = "[\"loss\"]"},
    Setting{
        .key = "phase_s",
        .kind = Kind::number,
        .presence = Presence::defaulted,
        .default_value = "30.0",
        .meaning =
            "Longest wait for the keys, the shares and the unmasking of a round; who is later has dropped "
            "out.",
        .unit = "seconds",
        .range = {.least = 0.1, .most = 86'400},
        .example = "120"},
};

constexpr std::array simulation_settings{
    Setting{.key = "clients",
            .presence = Presence::optional,
            .meaning =
                "The client files that `hansa simulate` runs in one process: a pattern with `*` in its last "
                "part, relative to this file.",
            .range = {.least = 1, .most = 4'096},
            .example = "\"clients/*.toml\""},
};

constexpr std::array tables{
    Table{"federation", Presence::required, "What is learned together, and for how long.",
          federation_settings},
    Table{"aggregator", Presence::required, "Where the aggregator listens, and whom it lets in.",
          aggregator_settings},
    Table{"model", Presence::required, "What is trained.", model_settings},
    Table{"training", Presence::defaulted,
          "What a client does in a round: mini-batch SGD on its own examples.", training_settings},
    Table{"cohort", Presence::defaulted, "Who takes part in a round, and when it is over.", cohort_settings},
    Table{"limits", Presence::defaulted, "Bounds that keep a client from harming the sum or the machine.",
          limits_settings},
    Table{"compression", Presence::defaulted,
          "How few bytes updates and models take: [compression.md](compression.md).", compression_settings},
    Table{"compression.rule", Presence::optional, "Codecs for some of the parameters.",
          compression_rule_settings, true},
    Table{"secure_aggregation", Presence::defaulted,
          "Sums that hide what is summed: [secure-aggregation.md](secure-aggregation.md).",
          secure_aggregation_settings},
    Table{"evaluation", Presence::optional,
          "Held-out examples on which the aggregator measures the global model.", evaluation_settings},
    Table{"simulation", Presence::defaulted,
          "What `hansa simulate` needs besides; the aggregator ignores it.", simulation_settings},
};

constexpr config::Schema schema{
    "federation.toml",
    "Read by `hansa-aggregator` and `hansa simulate`. Relative paths are relative to the file's folder.",
    tables};

}  // namespace

const config::Schema& federation_schema() { return schema; }

}  // namespace hansa::server
