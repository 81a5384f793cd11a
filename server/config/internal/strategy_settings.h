// [strategy] and the options of each strategy: how the updates of a round become the next model.
#pragma once
#include <array>

#include "common/config/schema.h"
#include "server/optimizers/optimizer_config.h"

namespace hansa::server::internal {

inline constexpr std::array strategy_settings{
    config::Setting{
        .key = "server_optimizer",
        .kind = config::Kind::choice,
        .presence = config::Presence::defaulted,
        .default_value = "\"fedavg\"",
        .meaning = "How the mean of the updates becomes the next model: `fedavg` adds it, `fedavgm` adds "
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
