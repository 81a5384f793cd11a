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

}  // namespace hansa::server::internal
