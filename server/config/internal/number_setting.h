// A number with a default value, as a setting: most options of strategies are such numbers.
#pragma once
#include <string_view>

#include "common/config/schema.h"

namespace hansa::server::internal {

consteval config::Setting number_setting(std::string_view key, std::string_view value,
                                         std::string_view meaning, const config::Range& range,
                                         std::string_view example) {
  return {.key = key,
          .kind = config::Kind::number,
          .presence = config::Presence::defaulted,
          .default_value = value,
          .meaning = meaning,
          .range = range,
          .example = example};
}

}  // namespace hansa::server::internal
