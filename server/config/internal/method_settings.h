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

consteval config::Setting epochs_setting(std::string_view key, std::string_view value,
                                         std::string_view meaning, double least, std::string_view example) {
  return {.key = key,
          .kind = config::Kind::integer,
          .presence = config::Presence::defaulted,
          .default_value = value,
          .meaning = meaning,
          .range = {.least = least, .most = 1'000},
          .example = example};
}

inline constexpr std::array fedrep_settings{
    epochs_setting("head_epochs", "1",
                   "Epochs in which the personal parameters are trained, before the others are.", 1, "5")};

inline constexpr std::array ditto_settings{
    number_setting("lambda", "1.0",
                   "How strongly a device's own model is pulled to the global one. 0: it is trained alone.",
                   {.least = 0}, "0.1"),
    epochs_setting("personal_epochs", "0",
                   "Epochs of the training of a device's own model. 0: as many as `training.epochs`.", 0,
                   "2")};

inline constexpr std::array moon_settings{
    number_setting("mu", "1.0", "Weight of the contrast between representations in the loss.", {.least = 0},
                   "5.0"),
    number_setting("temperature", "0.5",
                   "Temperature of the contrast: the lower it is, the more small differences between "
                   "similarities count.",
                   {.least = 0, .at_least = config::Bound::exclusive}, "0.5")};

}  // namespace hansa::server::internal
