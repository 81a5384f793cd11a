// [strategy.METHOD]: the options of each training method that are not in [training].
#pragma once
#include <array>
#include <string_view>

#include "common/config/schema.h"
#include "server/config/internal/number_setting.h"

namespace hansa::server::internal {

consteval config::Setting moment_decay(std::string_view key, std::string_view value,
                                       std::string_view meaning) {
  return number_setting(key, value, meaning, {.least = 0, .most = 1, .at_most = config::Bound::exclusive},
                        value);
}

inline constexpr std::array adam_settings{
    moment_decay("beta1", "0.9", "Part of the mean gradient of earlier steps that stays (first moment)."),
    moment_decay("beta2", "0.999", "Part of the squares of earlier steps that stays (second moment)."),
    number_setting("epsilon", "1e-8", "Added to the root of the second moment.",
                   {.least = 0, .most = 1, .at_least = config::Bound::exclusive}, "1e-6")};

inline constexpr std::array fedprox_settings{number_setting(
    "mu", "0.01",
    "Strength of the pull towards the round's model; 0 is `sgd`. Li et al. tune it over 0.001, "
    "0.01, 0.1 and 1.",
    {.least = 0, .most = 1'000'000}, "0.1")};

inline constexpr std::array<std::string_view, 2> correction_names{"inside", "outside"};
inline constexpr std::array scaffold_settings{config::Setting{
    .key = "correction",
    .kind = config::Kind::choice,
    .presence = config::Presence::defaulted,
    .default_value = "\"inside\"",
    .meaning = "Where the control variates correct a step with momentum: `inside` of it, as part of the "
               "gradient, or `outside`, on the weights after it, as in NIID-Bench. Without momentum and "
               "clipping both are the same but for rounding.",
    .choices = correction_names,
    .example = "\"outside\""}};

inline constexpr std::array feddyn_settings{number_setting(
    "alpha", "0.01", "Strength of the dynamic regulariser. Acar et al. tune it over 0.001, 0.01, 0.1.",
    {.least = 0, .most = 1'000'000, .at_least = config::Bound::exclusive}, "0.1")};

}  // namespace hansa::server::internal
