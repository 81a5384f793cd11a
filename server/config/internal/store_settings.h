// [store]: which models a run keeps.
#pragma once
#include <array>

#include "common/config/schema.h"

namespace hansa::server::internal {

inline constexpr std::array store_settings{
    config::Setting{
        .key = "keep",
        .presence = config::Presence::defaulted,
        .default_value = "\"all\"",
        .meaning =
            "`all` models; those of the `last:N` rounds; those of the `best:N` rounds by `metric`, and of "
            "rounds newer than the last evaluated one; or those of `every:N`th round. The initial "
            "model, the last one and what a restart needs are always kept.",
        .range = {.least = 1, .most = 16},
        .example = "\"last:10\""},
    config::Setting{
        .key = "metric",
        .presence = config::Presence::defaulted,
        .default_value = "\"accuracy\"",
        .meaning = "The metric of the evaluation that `best:N` compares, and by which the best round is "
                   "marked. Lower is better for a name that "
                   "contains `loss`, `error` or `perplexity`, and for `mse`, `rmse` and `mae`; higher is "
                   "better for every other name.",
        .range = {.least = 1, .most = 64},
        .example = "\"loss\""},
};

}  // namespace hansa::server::internal
