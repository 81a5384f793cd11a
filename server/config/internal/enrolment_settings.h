// [enrolment]: devices that join by a token.
#pragma once
#include <array>

#include "common/config/schema.h"

namespace hansa::server::internal {

inline constexpr std::array enrolment_settings{
    config::Setting{.key = "bind",
                    .meaning = "Address and port on which the aggregator enrols devices. Another port than "
                               "`aggregator.bind`; it may be closed whenever no device joins.",
                    .range = {.least = 1, .most = 255},
                    .example = "\"tcp://0.0.0.0:7472\""},
    config::Setting{.key = "address",
                    .presence = config::Presence::optional,
                    .meaning =
                        "Address at which devices reach this port; `hansa invite` puts it into tokens. "
                        "Default: `bind`, if it names a host.",
                    .range = {.least = 1, .most = 255},
                    .example = "\"tcp://pumps.example:7472\""},
    config::Setting{.key = "clients_address",
                    .kind = config::Kind::texts,
                    .presence = config::Presence::optional,
                    .meaning = "Addresses at which devices that have joined reach the aggregator, for their "
                               "client.toml: at most 8. Default: the host of `address` with the port of "
                               "`aggregator.bind`.",
                    .range = {.least = 1, .most = 255},
                    .example = "\"tcp://pumps.example:7470\""},
    config::Setting{.key = "root_key",
                    .kind = config::Kind::path,
                    .presence = config::Presence::optional,
                    .meaning =
                        "The operator's secret root key, if the aggregator itself shall certify devices "
                        "that join with a valid token: for trials, because whoever takes over this "
                        "machine then has the root key. Without it the operator approves each device: "
                        "`hansa approve`.",
                    .example = "\"keys/root.key\""},
    config::Setting{.key = "days",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "400",
                    .meaning = "Validity of the certificates that the aggregator issues with `root_key`.",
                    .unit = "days",
                    .range = {.least = 1, .most = 36'500},
                    .example = "90"},
};

}  // namespace hansa::server::internal
