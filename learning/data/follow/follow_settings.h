// The keys of [data] in client.toml for arriving data; they follow data_settings in the table.
#pragma once
#include <array>
#include <optional>
#include <string_view>

#include "common/config/document.h"
#include "common/config/schema.h"
#include "common/error.h"
#include "learning/data/follow/follow_config.h"

namespace hansa::learning {

namespace follow_choices {
inline constexpr std::array<std::string_view, 2> bad_rows{"refuse", "skip"};
inline constexpr std::array<std::string_view, 2> consumed_files{"keep", "remove"};
inline constexpr std::array<std::string_view, 2> without_new{"train", "decline"};
}  // namespace follow_choices

inline constexpr std::array follow_settings{
    config::Setting{
        .key = "follow",
        .kind = config::Kind::boolean,
        .presence = config::Presence::defaulted,
        .default_value = "false",
        .meaning =
            "Whether data arrives while the client runs: at the end of `file` (csv, windows, sqlite), as "
            "whole files in "
            "`folder`, as new files in `class_folders` or new lines of `file` (images, audio), or from "
            "`broker` "
            "(csv, windows). Consumed examples are stored in the client's "
            "state, each once. A round trains on the new examples and on a replay reservoir.",
        .example = "true"},
    config::Setting{
        .key = "folder",
        .kind = config::Kind::path,
        .presence = config::Presence::optional,
        .meaning =
            "follow: a folder into which complete files are moved, in the format of `file`. Names that "
            "start with a dot or end in `.part` or `.tmp` are ignored.",
        .example = "\"/var/spool/measurements\""},
    config::Setting{
        .key = "sequence",
        .presence = config::Presence::optional,
        .meaning = "follow, sqlite: the column of `query` that numbers the rows, an integer that is larger "
                   "in each new row and that no two rows share, such as an INTEGER PRIMARY KEY. Rows with a "
                   "larger number than that of the last one are new. It is no input. Required for `file`.",
        .range = {.least = 1, .most = 256},
        .example = "\"id\""},
    config::Setting{
        .key = "broker",
        .presence = config::Presence::optional,
        .meaning = "follow: an MQTT broker, `mqtts://HOST[:PORT]`. `mqtt://`, without encryption, is "
                   "allowed only to this machine (localhost). Messages are rows: CSV fields in the order of "
                   "`columns`, then `label`, then `group`; or a JSON object with these names.",
        .range = {.least = 1, .most = 255},
        .example = "\"mqtts://broker.plant.example\""},
    config::Setting{.key = "topic",
                    .presence = config::Presence::optional,
                    .meaning = "broker: the topic, or a filter with `+` and `#`. Required.",
                    .range = {.least = 1, .most = 1'024},
                    .example = "\"plant/pump-7/vibration\""},
    config::Setting{
        .key = "broker_ca_file",
        .kind = config::Kind::path,
        .presence = config::Presence::optional,
        .meaning = "broker: certificates of the authorities that may sign the broker's certificate. Without "
                   "it: the system's.",
        .example = "\"keys/plant-ca.pem\""},
    config::Setting{.key = "broker_certificate_file",
                    .kind = config::Kind::path,
                    .presence = config::Presence::optional,
                    .meaning = "broker: this client's certificate, if the broker asks for one.",
                    .example = "\"keys/pump-7.pem\""},
    config::Setting{.key = "broker_key_file",
                    .kind = config::Kind::path,
                    .presence = config::Presence::optional,
                    .meaning = "broker: the key of that certificate.",
                    .example = "\"keys/pump-7.key\""},
    config::Setting{.key = "broker_user",
                    .presence = config::Presence::optional,
                    .meaning = "broker: user name.",
                    .range = {.least = 1, .most = 255},
                    .example = "\"pump-7\""},
    config::Setting{.key = "broker_password_file",
                    .kind = config::Kind::path,
                    .presence = config::Presence::optional,
                    .meaning = "broker: a file with the user's password, readable only by its owner.",
                    .example = "\"keys/broker.password\""},
    config::Setting{.key = "bad_rows",
                    .kind = config::Kind::choice,
                    .presence = config::Presence::optional,
                    .meaning =
                        "follow: what happens to a row that cannot be read. `refuse` (the default of "
                        "`file`): the row is reported, and nothing after it is read until it is fixed. "
                        "`skip` (the default of `broker`): the row is reported, counted and skipped. A "
                        "file in `folder` with a bad row is skipped as a whole.",
                    .choices = follow_choices::bad_rows,
                    .example = "\"skip\""},
    config::Setting{
        .key = "consumed_files",
        .kind = config::Kind::choice,
        .presence = config::Presence::defaulted,
        .default_value = "\"keep\"",
        .meaning =
            "folder, class_folders: whether a file stays after its examples are stored in the client's "
            "state.",
        .choices = follow_choices::consumed_files,
        .example = "\"remove\""},
    config::Setting{.key = "new_max",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "10000",
                    .meaning =
                        "follow: how many new examples may wait in the client's state for a round. "
                        "Further data waits at its source: in the file, the folder or the broker's queue.",
                    .unit = "examples",
                    .range = {.least = 1, .most = 100'000'000},
                    .example = "50000"},
    config::Setting{.key = "replay_max",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "2000",
                    .meaning = "follow: size of the replay reservoir, a uniform sample of all examples that "
                               "were trained on (Vitter 1985, algorithm R). 0: none.",
                    .unit = "examples",
                    .range = {.least = 0, .most = 100'000'000},
                    .example = "500"},
    config::Setting{.key = "without_new",
                    .kind = config::Kind::choice,
                    .presence = config::Presence::defaulted,
                    .default_value = "\"train\"",
                    .meaning =
                        "follow: whether the client takes part in a round when no new data has arrived "
                        "(training on the reservoir) or declines it.",
                    .choices = follow_choices::without_new,
                    .example = "\"decline\""},
};

// Reads the keys from `table` of the document; nothing without `follow = true`. Fails (usage) on keys that exclude each
// other.
[[nodiscard]] Result<std::optional<FollowConfig>> read_follow_config(const config::Document& document,
                                                                     std::string_view table);

}  // namespace hansa::learning
