// The keys of client.toml as data: meaning, unit, range, default, example.
#pragma once
#include "common/config/schema.h"

namespace hansa::client {

[[nodiscard]] const config::Schema& client_schema();

}  // namespace hansa::client
