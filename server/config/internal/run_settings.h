// [federation], [aggregator], [model] and [simulation]: the name of a run, its seed, model and folders.
#pragma once
#include <array>

#include "common/config/schema.h"

namespace hansa::server::internal {

inline constexpr std::array<std::string_view, 2> after_last_round{"stop", "stay"};

inline constexpr std::array federation_settings{
    config::Setting{.key = "name",
                    .meaning = "Name of the federation; every client's configuration has the same name. "
                               "Letters, digits, `-`, `_` and `.`.",
                    .range = {.least = 1, .most = 64},
                    .example = "\"fashion\""},
    config::Setting{.key = "seed",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "1",
                    .meaning = "Seed of all randomness: which clients are selected, and the order in which "
                               "they see their examples.",
                    .range = {.least = 0},
                    .example = "7"},
    config::Setting{
        .key = "rounds",
        .kind = config::Kind::integer,
        .presence = config::Presence::defaulted,
        .default_value = "20",
        .meaning =
            "Total number of rounds; a resumed run counts the rounds that it has committed already. 0 for "
            "no end: the federation runs until it is stopped, or [schedule.until] holds.",
        .range = {.least = 0, .most = 1'000'000},
        .example = "50"},
    config::Setting{
        .key = "after_last_round",
        .kind = config::Kind::choice,
        .presence = config::Presence::defaulted,
        .default_value = "\"stop\"",
        .meaning =
            "Whether the aggregator stops after its last round, or keeps running and answers its clients.",
        .choices = after_last_round,
        .example = "\"stay\""},
};

inline constexpr std::array aggregator_settings{
    config::Setting{.key = "bind",
                    .presence = config::Presence::defaulted,
                    .default_value = "\"tcp://0.0.0.0:7470\"",
                    .meaning = "Address and port on which the aggregator listens.",
                    .range = {.least = 1, .most = 255},
                    .example = "\"tcp://127.0.0.1:7470\""},
    config::Setting{.key = "key",
                    .kind = config::Kind::path,
                    .meaning = "The aggregator's secret key file, which only its owner may read. Created by "
                               "`hansa keys generate`.",
                    .example = "\"keys/aggregator.key\""},
    config::Setting{
        .key = "admitted",
        .kind = config::Kind::path,
        .meaning =
            "Folder with a public key file `NAME.pub` for each admitted client. Other clients are refused.",
        .example = "\"admitted\""},
    config::Setting{.key = "runs",
                    .kind = config::Kind::path,
                    .presence = config::Presence::defaulted,
                    .default_value = "\"runs\"",
                    .meaning =
                        "Folder in which each run has its own folder; those of `hansa simulate` are in its "
                        "subfolder `simulated`.",
                    .example = "\"/var/lib/hansa/runs\""},
    config::Setting{.key = "register",
                    .kind = config::Kind::path,
                    .presence = config::Presence::defaulted,
                    .default_value = "\"devices.sqlite\"",
                    .meaning = "File with the register of devices, the join tokens and the audit log: "
                               "`hansa devices`, `hansa invite`, `hansa audit`.",
                    .example = "\"/var/lib/hansa/devices.sqlite\""},
    config::Setting{.key = "key_overlap_days",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "30.0",
                    .meaning =
                        "How long both keys of a device are admitted that changes its key, from the "
                        "certificate of the new one. The former key is refused for ever when this time has "
                        "passed, or the device has connected with the new key: "
                        "[enrolment.md](enrolment.md#changing-keys).",
                    .unit = "days",
                    .range = {.least = 0, .most = 3'650},
                    .example = "7"},
    config::Setting{.key = "statements",
                    .kind = config::Kind::path,
                    .presence = config::Presence::defaulted,
                    .default_value = "\"statements\"",
                    .meaning = "File with what the root key states about changed keys: `hansa keys rotate` "
                               "writes it, and the aggregator sends it to its clients.",
                    .example = "\"/var/lib/hansa/statements\""},
};

inline constexpr std::array model_settings{
    config::Setting{
        .key = "archive",
        .kind = config::Kind::path,
        .meaning = "The model, a TorchScript archive. Created by `hansa model create` or by PyTorch.",
        .example = "\"model.pt\""},
    config::Setting{
        .key = "personal",
        .kind = config::Kind::texts,
        .presence = config::Presence::optional,
        .meaning =
            "Personal parameters and buffers: names, or patterns with `*`. Each device trains them, keeps "
            "them in its state, and never sends them. `@normalisation` stands for those of all "
            "normalisation layers, whatever they are called. The aggregator evaluates with those of the "
            "archive.",
        .range = {.least = 1, .most = 64},
        .example = "[\"head.*\"]"},
};

inline constexpr std::array simulation_settings{
    config::Setting{
        .key = "clients",
        .kind = config::Kind::texts,
        .presence = config::Presence::optional,
        .meaning =
            "The client files that `hansa simulate` runs in one process: one or more patterns, relative to "
            "this file. `*` matches any characters of a name, and `**` any number of folders.",
        .range = {.least = 1, .most = 4'096},
        .example = "\"sites/*/client.toml\""},
    config::Setting{.key = "training_s",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "0.0",
                    .meaning =
                        "How long a training of the median client takes on the simulation's clock. Each one "
                        "takes its client's time, times 0.9 to 1.1.",
                    .unit = "seconds",
                    .range = {.least = 0, .most = 86'400},
                    .example = "10.0"},
    config::Setting{.key = "speed_spread",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "0.0",
                    .meaning =
                        "How much the clients' speeds differ: their times are log-normal with this standard "
                        "deviation of the logarithm, and depend on the seed. With 1, of 20 clients the "
                        "slowest one typically takes 6 times as long as the median.",
                    .range = {.least = 0, .most = 5},
                    .example = "1.0"},
};

}  // namespace hansa::server::internal
