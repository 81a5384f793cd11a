#include "server/config/federation_schema.h"

#include <array>

#include "server/config/internal/aggregation_settings.h"
#include "server/config/internal/compression_settings.h"
#include "server/config/internal/dashboard_settings.h"
#include "server/config/internal/data_contract_settings.h"
#include "server/config/internal/divergence_settings.h"
#include "server/config/internal/enrolment_settings.h"
#include "server/config/internal/evaluation_settings.h"
#include "server/config/internal/method_settings.h"
#include "server/config/internal/optimizer_settings.h"
#include "server/config/internal/output_settings.h"
#include "server/config/internal/round_settings.h"
#include "server/config/internal/run_settings.h"
#include "server/config/internal/schedule_settings.h"
#include "server/config/internal/secure_aggregation_settings.h"
#include "server/config/internal/selection_settings.h"
#include "server/config/internal/statistics_settings.h"
#include "server/config/internal/store_settings.h"
#include "server/config/internal/strategy_settings.h"

namespace hansa::server {
namespace {

using config::Presence;
using config::Table;
using namespace internal;

constexpr std::array tables{
    Table{"federation", Presence::required, "What is trained together, and for how long.",
          federation_settings},
    Table{"aggregator", Presence::required, "Where the aggregator listens, and which clients it admits.",
          aggregator_settings},
    Table{"enrolment", Presence::optional,
          "Devices that join by a token: [enrolment.md](enrolment.md). Without this table no port is opened "
          "for it.",
          enrolment_settings},
    Table{"dashboard", Presence::optional,
          "The page in the browser, the HTTP API and the metrics: [dashboard.md](dashboard.md). Without this "
          "table no port is opened for it.",
          dashboard_settings},
    Table{"model", Presence::required, "What is trained.", model_settings},
    Table{"data_contract", Presence::optional,
          "What the data of every client must be: [data.md](data.md#data-contract). A client whose data "
          "differs does not "
          "train. A changed contract begins a new run, unless only `minimum` and `maximum` change.",
          data_contract_settings},
    Table{"statistics", Presence::optional,
          "Mean and deviation of the inputs over the data of all clients, computed once before round 1, for "
          "clients with `scale = \"federation\"`: [data.md](data.md#scaling-by-the-data-of-all-clients).",
          statistics_settings},
    Table{"training", Presence::defaulted,
          "What a client does in a round: mini-batch training on its own examples.", training_settings},
    Table{"training.schedule", Presence::defaulted,
          "The learning rate over the rounds. It depends on the round's number alone, so that a restart "
          "changes "
          "nothing.",
          training_schedule_settings},
    Table{"cohort", Presence::defaulted, "Which clients take part in a round, and when it ends.",
          cohort_settings},
    Table{
        "cohort.buffered", Presence::defaulted,
        "Used if `mode` is `buffered`. It has no cohorts, so that `fraction`, `size_max`, `over_select` and "
        "`quorum` do not apply; `deadline_s` limits one client's task. With secure aggregation K clients "
        "form a "
        "group, for which `quorum` and `deadline_s` apply as in a round: "
        "[round.md](round.md#groups-with-secure-aggregation).",
        cohort_buffered_settings},
    Table{"schedule", Presence::defaulted,
          "When rounds start: by default one after the other. [round.md](round.md#when-a-round-starts).",
          schedule_settings},
    Table{"schedule.until", Presence::defaulted,
          "When a run ends before its last round. A round that is running is finished.",
          schedule_until_settings},
    Table{"limits", Presence::defaulted, "Limits on what one client can do to the model and to the machine.",
          limits_settings},
    Table{"strategy", Presence::defaulted, "How the updates of a round become the next model.",
          strategy_settings},
    Table{"strategy.adam", Presence::defaulted, "Used if `method` is `adam`.", adam_settings},
    Table{"strategy.adamw", Presence::defaulted, "Used if `method` is `adamw`.", adam_settings},
    Table{"strategy.fedprox", Presence::defaulted, "Used if `method` is `fedprox`.", fedprox_settings},
    Table{"strategy.scaffold", Presence::defaulted, "Used if `method` is `scaffold`.", scaffold_settings},
    Table{"strategy.feddyn", Presence::defaulted, "Used if `method` is `feddyn`.", feddyn_settings},
    Table{"strategy.fedrep", Presence::defaulted, "Used if `method` is `fedrep`.", fedrep_settings},
    Table{"strategy.ditto", Presence::defaulted, "Used if `method` is `ditto`.", ditto_settings},
    Table{"strategy.moon", Presence::defaulted, "Used if `method` is `moon`.", moon_settings},
    Table{"strategy.power_of_choice", Presence::defaulted, "Used if `selection` is `power_of_choice`.",
          power_of_choice_settings},
    Table{"strategy.oort", Presence::defaulted, "Used if `selection` is `oort`.", oort_settings},
    Table{"strategy.trimmed_mean", Presence::defaulted, "Used if `aggregation` is `trimmed_mean`.",
          trimmed_mean_settings},
    Table{"strategy.krum", Presence::defaulted, "Used if `aggregation` is `krum`.", krum_settings},
    Table{"strategy.multi_krum", Presence::defaulted, "Used if `aggregation` is `multi_krum`.",
          multi_krum_settings},
    Table{"strategy.bulyan", Presence::defaulted, "Used if `aggregation` is `bulyan`.", bulyan_settings},
    Table{"strategy.geometric_median", Presence::defaulted, "Used if `aggregation` is `geometric_median`.",
          geometric_median_settings},
    Table{"strategy.norm_bound", Presence::defaulted, "Used if `aggregation` is `norm_bound`.",
          norm_bound_settings},
    Table{"strategy.centred_clipping", Presence::defaulted, "Used if `aggregation` is `centred_clipping`.",
          centred_clipping_settings},
    Table{"strategy.fedavg", Presence::defaulted, "Used if `server_optimizer` is `fedavg`.", fedavg_settings},
    Table{"strategy.fedavgm", Presence::defaulted,
          "Server momentum; used if `server_optimizer` is `fedavgm`.", fedavgm_settings},
    Table{"strategy.fedadagrad", Presence::defaulted, "Used if `server_optimizer` is `fedadagrad`.",
          fedadagrad_settings},
    Table{"strategy.fedadam", Presence::defaulted, "Used if `server_optimizer` is `fedadam`.",
          fedadam_settings},
    Table{"strategy.fedyogi", Presence::defaulted, "Used if `server_optimizer` is `fedyogi`.",
          fedyogi_settings},
    Table{"strategy.fedlion", Presence::defaulted, "Used if `server_optimizer` is `fedlion`.",
          fedlion_settings},
    Table{"compression", Presence::defaulted,
          "How updates and models are compressed: [compression.md](compression.md).", compression_settings},
    Table{"compression.rule", Presence::optional, "Codecs for some of the parameters.",
          compression_rule_settings, true},
    Table{"secure_aggregation", Presence::defaulted,
          "Secure aggregation: [secure-aggregation.md](secure-aggregation.md).", secure_aggregation_settings},
    Table{"store", Presence::defaulted,
          "Which models a run keeps on disk: [runs.md](runs.md#which-models-are-kept).", store_settings},
    Table{"divergence", Presence::defaulted,
          "What happens when the training diverges: [runs.md](runs.md#how-good-the-model-is).",
          divergence_settings},
    Table{"evaluation", Presence::optional,
          "Held-out examples on which the aggregator measures the global model. The keys of data may be left "
          "out if there is an `on_clients`.",
          evaluation_settings},
    Table{
        "evaluation.on_clients", Presence::optional,
        "Evaluation on the clients: each holds a part of its examples out and measures the model of a round "
        "there before it trains. Written in one line: `on_clients = { fraction = 0.2, every = 1 }`. "
        "[runs.md](runs.md#how-good-the-model-is).",
        on_clients_settings},
    Table{"output", Presence::optional,
          "Files for other tools, which the aggregator writes while it runs: [metrics.md](metrics.md).",
          output_settings},
    Table{"simulation", Presence::defaulted, "What only `hansa simulate` needs; the aggregator ignores it.",
          simulation_settings},
};

constexpr config::Schema schema{
    "federation.toml",
    "Read by `hansa-aggregator` and `hansa simulate`. Relative paths are relative to the file's folder.",
    tables};

}  // namespace

const config::Schema& federation_schema() { return schema; }

}  // namespace hansa::server
