#include "client/config/client_schema.h"

#include <array>

#include "learning/data/data_settings.h"
#include "protocols/secure_aggregation/parameters.h"
#include "learning/data/follow/follow_settings.h"

namespace hansa::client {
namespace {

using config::Kind;
using config::Presence;
using config::Range;
using config::Setting;
using config::Table;

constexpr std::array<std::string_view, 2> after_federation{"stop", "stay"};
constexpr Range pause_s{.least = 0.01, .most = 86'400};

constexpr std::array client_settings{
    Setting{
        .key = "name",
        .meaning =
            "The name under which the operator admitted this client's key: the file is `admitted/NAME.pub`. "
            "Used in log lines and by simulations; to the aggregator the key alone counts. Letters, digits, "
            "`-`, `_` and `.`.",
        .range = {.least = 1, .most = 64},
        .example = "\"client-01\""},
    Setting{.key = "federation",
            .meaning = "Name of the federation; must be that of the aggregator's federation.toml.",
            .range = {.least = 1, .most = 64},
            .example = "\"fashion\""},
    Setting{
        .key = "key",
        .kind = Kind::path,
        .meaning =
            "This device's secret key file, which its owner alone can read. Made by `hansa keys generate`.",
        .example = "\"keys/client-01.key\""},
    Setting{.key = "state",
            .kind = Kind::path,
            .presence = Presence::defaulted,
            .default_value = "\"state\"",
            .meaning = "Folder for what the client keeps between rounds. One client, one folder.",
            .example = "\"/var/lib/hansa/client\""},
    Setting{.key = "after_federation",
            .kind = Kind::choice,
            .presence = Presence::defaulted,
            .default_value = "\"stop\"",
            .meaning = "Whether the client ends when the aggregator says that it is finished, or stays and "
                       "waits for more.",
            .choices = after_federation,
            .example = "\"stay\""},
};

constexpr std::array aggregator_settings{
    Setting{
        .key = "address",
        .kind = Kind::texts,
        .meaning =
            "Where the aggregator listens; of several, each is tried in turn. Read again at every reconnect.",
        .range = {.least = 1, .most = 255},
        .example = "\"tcp://aggregator.example:7470\""},
    Setting{.key = "proxy",
            .presence = Presence::optional,
            .meaning = "A proxy through which the aggregator is reached: SOCKS5, or HTTP with CONNECT. It "
                       "looks the aggregator's name up, "
                       "and sees nothing but encrypted bytes.",
            .range = {.least = 1, .most = 255},
            .example = "\"socks5://proxy.example:1080\""},
    Setting{.key = "public_key",
            .presence = Presence::optional,
            .meaning =
                "The aggregator's public key, 40 characters of Z85: the client talks to no other. This or "
                "`public_key_file`.",
            .example = "\"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\""},
    Setting{.key = "public_key_file",
            .kind = Kind::path,
            .presence = Presence::optional,
            .meaning = "A file that holds the aggregator's public key.",
            .example = "\"keys/aggregator.pub\""},
    Setting{.key = "reconnect_min_s",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "0.5",
            .meaning = "First pause before connecting again; doubles at every failure, with jitter.",
            .unit = "seconds",
            .range = pause_s,
            .example = "1"},
    Setting{.key = "reconnect_max_s",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "30.0",
            .meaning = "Longest pause before connecting again; at least `reconnect_min_s`. The client tries "
                       "without end.",
            .unit = "seconds",
            .range = pause_s,
            .example = "300"},
};

constexpr std::array resources_settings{
    Setting{.key = "threads",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "1",
            .meaning = "Threads for training.",
            .unit = "threads",
            .range = {.least = 1, .most = 1'024},
            .example = "2"},
    Setting{
        .key = "nice",
        .kind = Kind::integer,
        .presence = Presence::defaulted,
        .default_value = "0",
        .meaning = "Added to the process's niceness: 19 trains only when nothing else wants the processor.",
        .range = {.least = 0, .most = 19},
        .example = "10"},
    Setting{.key = "memory_mib_max",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "0",
            .meaning = "A task that is estimated to need more memory is declined; 0 for no guard.",
            .unit = "MiB",
            .range = {.least = 0, .most = 1'048'576},
            .example = "512"},
};

constexpr std::array secure_aggregation_settings{
    Setting{
        .key = "root",
        .presence = Presence::optional,
        .meaning =
            "The operator's root key that certifies clients, 64 hex digits: this client shares secrets only "
            "with clients that it signed. Without it the client takes no part in secure sums.",
        .range = {.least = 64, .most = 64},
        .example = "\"cd14b37f956e953194ff7fb73b3d81dcc561d61a7538094b7c3e1a643ee5f3aa\""},
    Setting{.key = "required",
            .kind = Kind::boolean,
            .presence = Presence::optional,
            .meaning =
                "Whether to decline a task whose update the aggregator would see. True if `root` is given.",
            .example = "true"},
    Setting{.key = "clients_min",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "3",
            .meaning = "Clients that must be in a sum before this one helps to unmask it.",
            .unit = "clients",
            .range = {.least = 3, .most = 1'000},
            .example = "10"},
    Setting{.key = "threat_model",
            .kind = Kind::choice,
            .presence = Presence::defaulted,
            .default_value = "\"honest_but_curious\"",
            .meaning =
                "What this client trusts the aggregator with; a federation that trusts it more is declined.",
            .choices = secure_aggregation::threat_model_names,
            .example = "\"active\""},
    Setting{
        .key = "corrupt_min",
        .kind = Kind::number,
        .presence = Presence::defaulted,
        .default_value = "0.1",
        .meaning = "Part of the cohort that the federation must at least assume to work with the aggregator.",
        .range = {.least = 0, .most = 0.5, .at_most = config::Bound::exclusive},
        .example = "0.2"},
};

constexpr auto data_settings = config::join(learning::data_settings, learning::follow_settings);

constexpr std::array tables{
    Table{"client", Presence::required, "Who this client is.", client_settings},
    Table{"aggregator", Presence::required, "Whom it works for. Exactly one of the two keys must be given.",
          aggregator_settings},
    Table{"data", Presence::required, "The examples it trains on. They never leave the device.",
          data_settings},
    Table{"secure_aggregation", Presence::defaulted,
          "What it asks for before it gives an update: [secure-aggregation.md](secure-aggregation.md).",
          secure_aggregation_settings},
    Table{"resources", Presence::defaulted, "What training may take from the device.", resources_settings},
};

constexpr config::Schema schema{
    "client.toml",
    "Read by `hansa-client`, one file a client. Relative paths are relative to the file's folder.", tables};

}  // namespace

const config::Schema& client_schema() { return schema; }

}  // namespace hansa::client
