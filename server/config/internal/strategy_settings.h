// [strategy] and the options of each strategy: how the updates of a round become the next model.
#pragma once
#include <array>

#include "common/config/schema.h"
#include "common/methods.h"
#include "server/aggregation/aggregation_config.h"
#include "server/optimizers/optimizer_config.h"
#include "server/selection/cohort_policy.h"

namespace hansa::server::internal {

inline constexpr std::array strategy_settings{
    config::Setting{.key = "method",
                    .kind = config::Kind::choice,
                    .presence = config::Presence::defaulted,
                    .default_value = "\"sgd\"",
                    .meaning =
                        "How clients train: `sgd` is mini-batch SGD (McMahan et al. 2017). Its options are "
                        "those of `[training]`.",
                    .choices = method_names,
                    .example = "\"sgd\""},
    config::Setting{
        .key = "selection",
        .kind = config::Kind::choice,
        .presence = config::Presence::defaulted,
        .default_value = "\"uniform\"",
        .meaning = "Which of the available clients take part in a round: `uniform` selects each with the "
                   "same probability.",
        .choices = cohort_policy_names,
        .example = "\"uniform\""},
    config::Setting{.key = "aggregation",
                    .kind = config::Kind::choice,
                    .presence = config::Presence::defaulted,
                    .default_value = "\"mean\"",
                    .meaning = "How the updates of a round become one: `mean` weights each by its number of "
                               "examples (McMahan et al. 2017).",
                    .choices = aggregation_names,
                    .example = "\"mean\""},
    config::Setting{.key = "server_optimizer",
                    .kind = config::Kind::choice,
                    .presence = config::Presence::defaulted,
                    .default_value = "\"fedavg\"",
                    .meaning =
                        "How the aggregated update becomes the next model: `fedavg` adds it, `fedavgm` adds "
                        "it with momentum over the rounds (Hsu, Qi, Brown 2019).",
                    .choices = server_optimizer_names,
                    .example = "\"fedavgm\""},
};

inline constexpr std::array strategy_fedavgm_settings{
    config::Setting{.key = "momentum",
                    .kind = config::Kind::number,
                    .presence = config::Presence::defaulted,
                    .default_value = "0.9",
                    .meaning = "Fraction of the previous round's change of the model that is added again.",
                    .range = {.least = 0, .most = 1, .at_most = config::Bound::exclusive},
                    .example = "0.5"},
};

}  // namespace hansa::server::internal
