// [dashboard]: the page, the HTTP API and the metrics.
#pragma once
#include <array>

#include "common/config/schema.h"

namespace hansa::server::internal {

inline constexpr std::array dashboard_settings{
    config::Setting{
        .key = "listen",
        .presence = config::Presence::defaulted,
        .default_value = "\"127.0.0.1:7471\"",
        .meaning = "Address and port of the dashboard: an IP address, and another port than those of "
                   "`aggregator.bind` and `enrolment.bind`; 0 means a free one. An address that is not a "
                   "loopback one needs `tls_certificate` or `behind_proxy`.",
        .range = {.least = 1, .most = 64},
        .example = "\"127.0.0.1:7480\""},
    config::Setting{.key = "token_file",
                    .kind = config::Kind::path,
                    .presence = config::Presence::optional,
                    .meaning = "File with the operator's token, which the aggregator creates at its first "
                               "start, readable for its user only. Whoever has the token may act. Default: "
                               "`dashboard.token` in the folder that contains `aggregator.runs`.",
                    .example = "\"/var/lib/hansa-aggregator/dashboard.token\""},
    config::Setting{.key = "tls_certificate",
                    .kind = config::Kind::path,
                    .presence = config::Presence::optional,
                    .meaning = "Certificate (PEM, with its chain) for HTTPS. Read at the start.",
                    .example = "\"/etc/hansa/dashboard.pem\""},
    config::Setting{.key = "tls_key",
                    .kind = config::Kind::path,
                    .presence = config::Presence::optional,
                    .meaning = "Private key (PEM) of `tls_certificate`.",
                    .example = "\"/etc/hansa/dashboard.key\""},
    config::Setting{
        .key = "behind_proxy",
        .kind = config::Kind::boolean,
        .presence = config::Presence::defaulted,
        .default_value = "false",
        .meaning =
            "Whether only a reverse proxy can reach `listen`, which adds TLS and sets X-Forwarded-For.",
        .example = "true"},
    config::Setting{.key = "names",
                    .kind = config::Kind::texts,
                    .presence = config::Presence::optional,
                    .meaning = "Host names under which browsers reach the dashboard, in addition to IP "
                               "addresses and `localhost`: at most 16. Requests for other names are refused.",
                    .range = {.least = 1, .most = 253},
                    .example = "\"hansa.hospital.example\""},
    config::Setting{.key = "streams_max",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "256",
                    .meaning = "Most pages that are open at the same time.",
                    .range = {.least = 1, .most = 4'096},
                    .example = "32"},
};

}  // namespace hansa::server::internal
