// [strategy.AGGREGATION]: the options of each aggregation rule.
#pragma once
#include <array>

#include "common/config/schema.h"

namespace hansa::server::internal {

consteval config::Setting faulty_setting() {
  return {.key = "faulty",
          .kind = config::Kind::integer,
          .presence = config::Presence::defaulted,
          .default_value = "1",
          .meaning = "f: clients of a round whose updates may be wrong.",
          .unit = "clients",
          .range = {.least = 1, .most = 10'000},
          .example = "2"};
}
consteval config::Setting passes_setting(std::string_view value) {
  return {.key = "passes",
          .kind = config::Kind::integer,
          .presence = config::Presence::defaulted,
          .default_value = value,
          .meaning = "Passes over the updates of a round.",
          .range = {.least = 1, .most = 100},
          .example = "3"};
}
consteval config::Setting norm_setting(std::string_view key, std::string_view meaning) {
  return {.key = key,
          .kind = config::Kind::number,
          .presence = config::Presence::defaulted,
          .default_value = "0.0",
          .meaning = meaning,
          .range = {.least = 0, .most = 1e30},
          .example = "1.5"};
}

inline constexpr std::array trimmed_mean_settings{config::Setting{
    .key = "trim",
    .kind = config::Kind::number,
    .presence = config::Presence::defaulted,
    .default_value = "0.2",
    .meaning = "Part of the updates that is left out on each side of each value, rounded down, but "
               "at least one update.",
    .range =
        {.least = 0, .most = 0.5, .at_least = config::Bound::exclusive, .at_most = config::Bound::exclusive},
    .example = "0.1"}};
inline constexpr std::array krum_settings{faulty_setting()};
inline constexpr std::array multi_krum_settings{
    faulty_setting(),
    config::Setting{.key = "chosen",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "0",
                    .meaning = "m: updates with the best scores, whose mean is taken. 0: all but `faulty`.",
                    .unit = "updates",
                    .range = {.least = 0, .most = 100'000},
                    .example = "5"}};
inline constexpr std::array bulyan_settings{faulty_setting()};
inline constexpr std::array geometric_median_settings{passes_setting("4")};
inline constexpr std::array norm_bound_settings{
    norm_setting("norm", "Largest Euclidean norm of an update. 0: the median of the norms of the round.")};
inline constexpr std::array centred_clipping_settings{
    norm_setting(
        "radius",
        "Largest distance of an update to the centre. 0: the median of the distances, in each pass."),
    passes_setting("1")};

}  // namespace hansa::server::internal
