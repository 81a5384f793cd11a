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
    Setting{.key = "name",
            .meaning = "This client's name: the operator admitted its key as `admitted/NAME.pub`. "
                       "Used in log lines and by simulations; the aggregator identifies a client by its key. "
                       "Letters, digits, "
                       "`-`, `_` and `.`.",
            .range = {.least = 1, .most = 64},
            .example = "\"client-01\""},
    Setting{.key = "federation",
            .meaning = "Name of the federation; must equal the name in the aggregator's federation.toml.",
            .range = {.least = 1, .most = 64},
            .example = "\"fashion\""},
    Setting{
        .key = "key",
        .kind = Kind::path,
        .meaning =
            "This device's secret key file, readable only by its owner. Created by `hansa keys generate`.",
        .example = "\"keys/client-01.key\""},
    Setting{.key = "state",
            .kind = Kind::path,
            .presence = Presence::defaulted,
            .default_value = "\"state\"",
            .meaning = "Folder for the client's state between rounds. Each client needs its own folder.",
            .example = "\"/var/lib/hansa/client\""},
    Setting{.key = "after_federation",
            .kind = Kind::choice,
            .presence = Presence::defaulted,
            .default_value = "\"stop\"",
            .meaning = "Whether the client ends when the aggregator reports that the federation is finished, "
                       "or stays and "
                       "waits for another run.",
            .choices = after_federation,
            .example = "\"stay\""},
    Setting{.key = "report_details",
            .kind = Kind::boolean,
            .presence = Presence::defaulted,
            .default_value = "false",
            .meaning =
                "For debugging: whether to send the aggregator the full texts of errors as well, which may "
                "quote the data of this device. Otherwise it receives a code and numbers "
                "([protocol.md](protocol.md#reports)).",
            .example = "true"},
};

constexpr std::array aggregator_settings{
    Setting{.key = "address",
            .kind = Kind::texts,
            .meaning = "The aggregator's address, or a list of addresses that are tried in turn. Read again "
                       "at every reconnect.",
            .range = {.least = 1, .most = 255},
            .example = "\"tcp://aggregator.example:7470\""},
    Setting{.key = "proxy",
            .presence = Presence::optional,
            .meaning =
                "A proxy for the connection to the aggregator: SOCKS5, or HTTP with CONNECT. The proxy "
                "resolves the aggregator's name, "
                "and sees only encrypted bytes.",
            .range = {.least = 1, .most = 255},
            .example = "\"socks5://proxy.example:1080\""},
    Setting{.key = "enrolment",
            .presence = Presence::optional,
            .meaning = "Where the aggregator enrols devices. `hansa-client join` writes it; only "
                       "`hansa-client rotate` uses it.",
            .range = {.least = 1, .most = 255},
            .example = "\"tcp://aggregator.example:7472\""},
    Setting{.key = "public_key",
            .presence = Presence::optional,
            .meaning = "The aggregator's public key, 40 characters of Z85. The client connects to no other "
                       "aggregator. Set this or "
                       "`public_key_file`.",
            .example = "\"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\""},
    Setting{.key = "public_key_file",
            .kind = Kind::path,
            .presence = Presence::optional,
            .meaning = "A file with the aggregator's public key.",
            .example = "\"keys/aggregator.pub\""},
    Setting{.key = "reconnect_min_s",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "0.5",
            .meaning = "First pause before reconnecting. It doubles after every failure, with jitter.",
            .unit = "seconds",
            .range = pause_s,
            .example = "1"},
    Setting{.key = "reconnect_max_s",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "30.0",
            .meaning = "Longest pause before reconnecting; at least `reconnect_min_s`. The client keeps "
                       "trying.",
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
    Setting{.key = "nice",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "0",
            .meaning = "Added to the process's niceness. With 19 the client trains only when the processor "
                       "is otherwise idle.",
            .range = {.least = 0, .most = 19},
            .example = "10"},
    Setting{.key = "memory_mib_max",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "0",
            .meaning = "A task that is estimated to need more memory is declined; 0: no limit.",
            .unit = "MiB",
            .range = {.least = 0, .most = 1'048'576},
            .example = "512"},
    Setting{.key = "trainer_memory_mib_max",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "0",
            .meaning =
                "Address space that a training may add to that of the process `hansa-trainer` before it "
                "loads a model. A training that asks for more fails; 0: as much as the device has memory.",
            .unit = "MiB",
            .range = {.least = 0, .most = 1'048'576},
            .example = "1024"},
    Setting{
        .key = "trainer_cpu_s_max",
        .kind = Kind::integer,
        .presence = Presence::defaulted,
        .default_value = "0",
        .meaning = "Processor time, of all threads together, after which a training is ended; 0: no limit.",
        .unit = "seconds",
        .range = {.least = 0, .most = 10'000'000},
        .example = "3600"},
    Setting{.key = "trainer_stall_s",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "300.0",
            .meaning =
                "A training that takes no optimiser step for this time is ended, and so is a trainer that "
                "does nothing for this time while it opens the data.",
            .unit = "seconds",
            .range = {.least = 0.1, .most = 86'400},
            .example = "60"},
    Setting{.key = "trainer_idle_s",
            .kind = Kind::number,
            .presence = Presence::defaulted,
            .default_value = "20.0",
            .meaning =
                "The process `hansa-trainer` ends, and frees its memory, after this time without a training. "
                "The next training starts it again, which opens the data again.",
            .unit = "seconds",
            .range = {.least = 0, .most = 86'400},
            .example = "600"},
};

constexpr std::array<std::string_view, 2> unapproved{"decline", "train"};

constexpr std::array model_settings{
    Setting{.key = "root",
            .presence = Presence::optional,
            .meaning = "The operator's root key, 64 hex digits, which signs the models that this client may "
                       "train: `hansa model sign`. Default: `secure_aggregation.root`.",
            .range = {.least = 64, .most = 64},
            .example = "\"cd14b37f956e953194ff7fb73b3d81dcc561d61a7538094b7c3e1a643ee5f3aa\""},
    Setting{.key = "archive",
            .presence = Presence::optional,
            .meaning = "Pins one archive: the client trains only the archive with this SHA-256, which `hansa "
                       "model inspect` prints, and needs no signature.",
            .range = {.least = 64, .most = 71},
            .example = "\"sha256:3b1d8c6d1f0e4a5b9c7d2e8f6a0b4c3d5e7f9a1b2c4d6e8f0a1b3c5d7e9f0a2b\""},
    Setting{.key = "layout",
            .presence = Presence::optional,
            .meaning = "With `archive`: also pins the layout of the values that are sent, so that the "
                       "aggregator cannot ask for parameters that are personal.",
            .range = {.least = 64, .most = 71},
            .example = "\"sha256:9f2c4e6a8b0d1f3e5c7a9b2d4f6e8a0c1b3d5f7e9a2c4b6d8f0e1a3c5b7d9f2e\""},
    Setting{.key = "unapproved",
            .kind = Kind::choice,
            .presence = Presence::defaulted,
            .default_value = "\"decline\"",
            .meaning = "Without a root key and a pinned archive, `decline` ends the client when it starts. "
                       "`train` trains every archive that the aggregator sends: for development, because an "
                       "archive is a program.",
            .choices = unapproved,
            .example = "\"train\""},
};

constexpr std::array<std::string_view, 3> write_models{"each_round", "end", "never"};

constexpr std::array serving_settings{
    Setting{.key = "folder",
            .kind = Kind::path,
            .presence = Presence::optional,
            .meaning =
                "Folder for the newest model: `global.pt`, `personal.pt` and `manifest.json`. Default: "
                "`serving` in the state folder.",
            .example = "\"/var/lib/hansa/model\""},
    Setting{.key = "write",
            .kind = Kind::choice,
            .presence = Presence::optional,
            .meaning =
                "When the model is written: `each_round` in which this client trains, with the model "
                "that it received for it, and at the end; `end`, when all rounds are done; or `never`. "
                "Default: `each_round` if `folder` is set, otherwise `end`.",
            .choices = write_models,
            .example = "\"end\""},
};

constexpr std::array secure_aggregation_settings{
    Setting{.key = "root",
            .presence = Presence::optional,
            .meaning = "The operator's root key, 64 hex digits, which certifies clients. This client shares "
                       "secrets only "
                       "with clients that this key certified. Without it the client does not take part in "
                       "secure aggregation.",
            .range = {.least = 64, .most = 64},
            .example = "\"cd14b37f956e953194ff7fb73b3d81dcc561d61a7538094b7c3e1a643ee5f3aa\""},
    Setting{.key = "required",
            .kind = Kind::boolean,
            .presence = Presence::optional,
            .meaning = "Whether to decline tasks without secure aggregation, whose updates the aggregator "
                       "would see. True if `root` is set.",
            .example = "true"},
    Setting{.key = "clients_min",
            .kind = Kind::integer,
            .presence = Presence::defaulted,
            .default_value = "3",
            .meaning = "Number of clients that a sum must include before this client helps to unmask it.",
            .unit = "clients",
            .range = {.least = 3, .most = 1'000},
            .example = "10"},
    Setting{.key = "honest_min",
            .kind = Kind::integer,
            .presence = Presence::optional,
            .meaning =
                "Number of clients that a sum must include in addition to the corrupt ones (`corrupt` of "
                "federation.toml times the cohort, rounded up, at least 1). With 2, one client that "
                "colludes with the aggregator leaves the sum of two others: only for a federation of "
                "three. Default: 3, in sums with `threat_model = \"active\"` 10.",
            .unit = "clients",
            .range = {.least = 2, .most = 1'000},
            .example = "5"},
    Setting{.key = "threat_model",
            .kind = Kind::choice,
            .presence = Presence::defaulted,
            .default_value = "\"honest_but_curious\"",
            .meaning = "The attacks by the aggregator that this client wants protection from. A federation "
                       "with weaker protection is declined.",
            .choices = secure_aggregation::threat_model_names,
            .example = "\"active\""},
    Setting{
        .key = "corrupt_min",
        .kind = Kind::number,
        .presence = Presence::defaulted,
        .default_value = "0.2",
        .meaning =
            "Fraction of the cohort that the federation must at least assume to collude with the aggregator.",
        .range = {.least = 0, .most = 0.5, .at_most = config::Bound::exclusive},
        .example = "0.2"},
};

constexpr auto data_settings = config::join(learning::data_settings, learning::follow_settings);

constexpr std::array tables{
    Table{"client", Presence::required, "This client's identity.", client_settings},
    Table{"aggregator", Presence::required,
          "The aggregator. Exactly one of the two key settings must be set.", aggregator_settings},
    Table{"data", Presence::required, "The examples that this client trains on. None of them is sent.",
          data_settings},
    Table{"model", Presence::defaulted,
          "The model archives that this client trains: [models.md](models.md#approved-models).",
          model_settings},
    Table{
        "secure_aggregation", Presence::defaulted,
        "This client's requirements for secure aggregation: [secure-aggregation.md](secure-aggregation.md).",
        secure_aggregation_settings},
    Table{"serving", Presence::defaulted,
          "The model as a file, for programs of this device: [models.md](models.md#the-model-on-the-device).",
          serving_settings},
    Table{"resources", Presence::defaulted, "The resources that training may use.", resources_settings},
};

constexpr config::Schema schema{
    "client.toml",
    "Read by `hansa-client`, one file for each client. Relative paths are relative to the file's folder.",
    tables};

}  // namespace

const config::Schema& client_schema() { return schema; }

}  // namespace hansa::client
