// federation.toml's keys as data: meaning, unit, range, default, example.
#pragma once
#include "common/config/schema.h"

namespace hansa::server {

[[nodiscard]] const config::Schema& federation_schema();

}  // namespace hansa::server
