#include "server/config/strategies.h"

#include <array>
#include <string>

#include "server/config/federation_schema.h"
#include "server/methods/server_method.h"

namespace hansa::server {
namespace {

using enum StrategyKind;

constexpr std::string_view none = "none";
constexpr std::string_view all_updates =
    "aggregator: every update of the round, 4 bytes for each value (limits.kept_updates_memory_mib, then "
    "files)";
constexpr std::string_view faulty = "needs 2 f + 3 updates";

constexpr std::array catalogue{
    Strategy{mode,
             "synchronous",
             "a round waits for the clients that it has selected",
             "McMahan et al., AISTATS 2017, algorithm 1",
             none,
             true,
             {}},
    Strategy{
        mode, "buffered",
        "clients train continuously, and every K updates make a model; stale updates count less (FedBuff)",
        "Nguyen et al., AISTATS 2022, algorithm 1",
        "aggregator: up to 3 earlier models while slow clients fetch them; with secure aggregation a sum for "
        "each group that works",
        true,
        "a selection other than uniform needs a concurrency; no [schedule] that makes rounds wait; with "
        "secure "
        "aggregation K clients form a group, as they are ready"},

    Strategy{method,
             "sgd",
             "mini-batch SGD with momentum and weight decay, with the options of [training]",
             "McMahan et al., AISTATS 2017, algorithm 1",
             "device: a vector with momentum above 0",
             true,
             {}},
    Strategy{method,
             "adam",
             "mini-batch Adam, whose moments begin at zero in each round",
             "Kingma and Ba, ICLR 2015, algorithm 1",
             "device: two vectors",
             true,
             {}},
    Strategy{method,
             "adamw",
             "Adam, with a weight decay apart from the gradient",
             "Loshchilov and Hutter, ICLR 2019, algorithm 2",
             "device: two vectors",
             true,
             {}},

    Strategy{method,
             "fedprox",
             "SGD that is pulled towards the round's model",
             "Li et al., MLSys 2020, equation 2",
             "device: a vector",
             true,
             {}},
    Strategy{
        method, "scaffold", "SGD whose gradients are corrected by control variates",
        "Karimireddy et al., ICML 2020, algorithm 1, option II",
        "device: a vector that it keeps, and four; aggregator: a vector that is stored with each round and "
        "sent to each client; an update is twice as long",
        true, "needs aggregation mean"},
    Strategy{method, "fednova", "SGD whose update does not grow with the number of steps",
             "Wang et al., NeurIPS 2020, equations 6 and 7", "device: a vector", true,
             "needs aggregation mean"},
    Strategy{method, "feddyn", "SGD with a regulariser that follows the client's drift",
             "Acar et al., ICLR 2021, algorithm 1",
             "device: a vector that it keeps, and four; aggregator: a vector that is stored with each round",
             true, "needs aggregation mean, and server_optimizer fedavg with learning_rate 1"},
    Strategy{method, "fedbn", "SGD; each device keeps the normalisation layers to itself",
             "Li et al., ICLR 2021, algorithm 1", "device: the normalisation layers, on disk", true,
             "needs a model with normalisation layers"},
    Strategy{method, "fedper", "SGD; each device keeps the personal layers to itself",
             "Arivazhagan et al. 2019, algorithm 1", "device: the personal layers, on disk", true,
             "needs model.personal"},
    Strategy{method, "fedrep", "SGD of the personal layers, then of the shared ones",
             "Collins et al., ICML 2021, algorithm 1", "device: the personal layers, on disk", true,
             "needs model.personal"},
    Strategy{method, "ditto",
             "SGD; each device also trains a model of its own, which is pulled to the global one",
             "Li et al., ICML 2021, algorithm 1", "device: four vectors, of which one is on disk", true,
             "not with model.personal; a device trains two models"},
    Strategy{method, "moon", "SGD with a contrast between the representations of models",
             "Li, He, Song, CVPR 2021, equation 5",
             "device: two vectors, of which one is on disk, and two representations of each example", true,
             "a model with a training_loss needs a representation(x)"},

    Strategy{selection,
             "uniform",
             "each client with the same probability",
             "McMahan et al., AISTATS 2017, algorithm 1",
             none,
             true,
             {}},
    Strategy{selection, "by_examples", "each client in proportion to its examples, without replacement",
             "Li et al., ICLR 2020, section 3.3", none, true,
             "the mean weights by examples too: clients with many examples count twice"},
    Strategy{selection, "new_data",
             "the clients with the most examples that no counted update was trained on", "none: Hansa's own",
             none, true, "needs data that arrives"},
    Strategy{selection, "power_of_choice",
             "the highest losses among clients that are drawn by their examples",
             "Cho, Wang, Joshi 2020, section 3", none, false,
             "clients report their losses: one that claims a high one is selected often"},
    Strategy{selection, "oort", "by loss and speed, with a part that explores clients not counted before",
             "Lai et al., OSDI 2021, algorithm 1", none, false,
             "uses the mean loss in place of the mean squared loss; history is not kept over a restart"},

    Strategy{aggregation,
             "mean",
             "the mean, weighted by examples; exact, whatever the order of arrival",
             "McMahan et al., AISTATS 2017, algorithm 1",
             "aggregator: 8 bytes for each value",
             true,
             {}},
    Strategy{aggregation, "median", "the median of each value", "Yin et al., ICML 2018, definition 1",
             all_updates, false, "not weighted by examples"},
    Strategy{aggregation, "trimmed_mean", "the mean of each value without the largest and smallest ones",
             "Yin et al., ICML 2018, definition 2", all_updates, false,
             "not weighted by examples; needs 3 updates"},
    Strategy{aggregation, "krum", "the update with the nearest neighbours", "Blanchard et al., NeurIPS 2017",
             all_updates, false, faulty},
    Strategy{aggregation, "multi_krum", "the mean of the updates with the nearest neighbours",
             "Blanchard et al., NeurIPS 2017", all_updates, false, faulty},
    Strategy{aggregation, "bulyan", "Krum's choice, then the values nearest to their median",
             "El Mhamdi et al., ICML 2018", all_updates, false, "needs 4 f + 3 updates"},
    Strategy{aggregation,
             "geometric_median",
             "the point with the least sum of distances (RFA)",
             "Pillutla et al., IEEE TSP 2022, algorithm 2",
             all_updates,
             false,
             {}},
    Strategy{aggregation,
             "norm_bound",
             "the weighted mean of updates that are scaled down to a norm",
             "Sun et al. 2019, section 4",
             all_updates,
             false,
             {}},
    Strategy{aggregation,
             "centred_clipping",
             "steps from the last aggregate, each update's clipped to a radius",
             "Karimireddy et al., ICML 2021, section 4",
             "aggregator: every update of the round, and a vector that is stored with each round",
             false,
             {}},

    Strategy{server_optimizer,
             "fedavg",
             "adds the aggregate, times a learning rate",
             "McMahan et al., AISTATS 2017, algorithm 1",
             none,
             true,
             {}},
    Strategy{server_optimizer,
             "fedavgm",
             "adds it with momentum over the rounds",
             "Hsu, Qi, Brown 2019, section 4.3",
             "aggregator: a vector that is stored with each round",
             true,
             {}},
    Strategy{server_optimizer,
             "fedadagrad",
             "divides each value's step by the root of its squares so far",
             "Reddi et al., ICLR 2021, algorithm 2",
             "aggregator: two vectors that are stored with each round",
             true,
             {}},
    Strategy{server_optimizer,
             "fedadam",
             "divides each value's step by the root of its mean square",
             "Reddi et al., ICLR 2021, algorithm 2",
             "aggregator: two vectors that are stored with each round",
             true,
             {}},
    Strategy{server_optimizer,
             "fedyogi",
             "as fedadam, with a mean square that falls more slowly",
             "Reddi et al., ICLR 2021, algorithm 2",
             "aggregator: two vectors that are stored with each round",
             true,
             {}},
    Strategy{server_optimizer,
             "fedlion",
             "moves each value by the learning rate, in the direction of a momentum",
             "Chen et al., NeurIPS 2023, algorithm 2",
             "aggregator: a vector that is stored with each round",
             true,
             {}},
};

}  // namespace

std::string_view table_of(StrategyKind kind) { return kind == mode ? "cohort" : "strategy"; }

std::string_view key_of(StrategyKind kind) {
  switch (kind) {
    case mode: return "mode";
    case method: return "method";
    case selection: return "selection";
    case aggregation: return "aggregation";
    case server_optimizer: return "server_optimizer";
  }
  return "";
}

// buffered_check.cpp refuses the others with the reason.
bool goes_with_buffered(const Strategy& strategy) {
  if (strategy.kind == mode) return strategy.name == "buffered";
  if (strategy.kind == method) return !needs_rounds(strategy.name);
  return strategy.kind != aggregation || strategy.name == "mean";
}

std::span<const Strategy> strategies() { return catalogue; }

std::span<const config::Setting> options_of(const Strategy& strategy) {
  const std::string table = std::string(table_of(strategy.kind)) + "." + std::string(strategy.name);
  for (const config::Table& known : federation_schema().tables)
    if (known.name == table) return known.settings;
  return {};
}

}  // namespace hansa::server
