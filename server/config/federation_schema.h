// The keys of federation.toml as data: meaning, unit, range, default and example.
#pragma once
#include "common/config/schema.h"

namespace hansa::server {

[[nodiscard]] const config::Schema& federation_schema();

}  // namespace hansa::server
