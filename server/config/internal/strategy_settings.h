// [strategy] and the options of each strategy: how the updates of a round become the next model.
#pragma once
#include <array>

#include "common/config/schema.h"
#include "common/method_names.h"
#include "server/aggregation/aggregation_config.h"
#include "server/optimizers/optimizer_config.h"
#include "server/selection/selection_config.h"

namespace hansa::server::internal {

inline constexpr std::array strategy_settings{
    config::Setting{
        .key = "method",
        .kind = config::Kind::choice,
        .presence = config::Presence::defaulted,
        .default_value = "\"sgd\"",
        .meaning =
            "How clients train: `sgd` is mini-batch SGD (McMahan et al. 2017), `adam` (Kingma and Ba "
            "2015) and `adamw` (Loshchilov and Hutter 2019) scale each value's step. Others are SGD for "
            "clients with different data: `fedprox` (Li et al. 2020) and `feddyn` (Acar et al. 2021) "
            "bind it to the round's model, `scaffold` (Karimireddy et al. 2020) corrects each gradient, "
            "`fednova` (Wang et al. 2020) weighs clients of different numbers of steps alike, `moon` (Li, "
            "He, Song 2021) keeps representations near the global model's. `fedbn` (Li et al. 2021), "
            "`fedper` (Arivazhagan et al. 2019), `fedrep` (Collins et al. 2021) and `ditto` (Li et al. "
            "2021) give each device a model of its own. The options of `[training]` are for all of them.",
        .choices = method_names,
        .example = "\"sgd\""},
    config::Setting{
        .key = "selection",
        .kind = config::Kind::choice,
        .presence = config::Presence::defaulted,
        .default_value = "\"uniform\"",
        .meaning = "Which of the available clients take part in a round: `uniform` selects each with the "
                   "same probability, `by_examples` in proportion to its examples, `new_data` those with "
                   "the most new examples, `power_of_choice` those with the highest loss of some that are "
                   "drawn (Cho et al. 2020), `oort` by loss and speed (Lai et al. 2021).",
        .choices = cohort_policy_names,
        .example = "\"uniform\""},
    config::Setting{.key = "aggregation",
                    .kind = config::Kind::choice,
                    .presence = config::Presence::defaulted,
                    .default_value = "\"mean\"",
                    .meaning =
                        "How the updates of a round become one: `mean` weights each by its number of "
                        "examples (McMahan et al. 2017). The others are robust: a few wrong updates cannot "
                        "lead them away. `median` and `trimmed_mean` (Yin et al. 2018) treat each value by "
                        "itself, `krum` and `multi_krum` (Blanchard et al. 2017) take the updates with "
                        "the nearest neighbours, `bulyan` (El Mhamdi et al. 2018) combines both, "
                        "`geometric_median` is RFA (Pillutla et al. 2022), `norm_bound` (Sun et al. 2019) "
                        "and `centred_clipping` (Karimireddy et al. 2021) bound what one update moves.",
                    .choices = aggregation_names,
                    .example = "\"mean\""},
    config::Setting{.key = "server_optimizer",
                    .kind = config::Kind::choice,
                    .presence = config::Presence::defaulted,
                    .default_value = "\"fedavg\"",
                    .meaning =
                        "How the aggregated update becomes the next model: `fedavg` adds it, `fedavgm` adds "
                        "it with momentum over the rounds (Hsu, Qi, Brown 2019), `fedadagrad`, `fedadam` "
                        "and `fedyogi` scale each value's step (Reddi et al. 2021), `fedlion` moves "
                        "by its sign (Chen et al. 2023). Buffers are always averaged.",
                    .choices = server_optimizer_names,
                    .example = "\"fedadam\""},
};

}  // namespace hansa::server::internal
