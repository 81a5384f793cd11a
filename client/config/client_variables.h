// The environment variables of hansa-client: HANSA__TABLE__KEY for every key of client.toml, and those of [join], a table
// that is not in the file. docs/containers.md.
#pragma once
#include "common/config/schema.h"
#include "common/config/variables.h"
#include "common/error.h"

namespace hansa::client {

// The table [join]: how a device without a client.toml joins when hansa-client starts (client/join/first_start.h).
[[nodiscard]] const config::Schema& join_schema();

// environment: as `environ`. Fails (usage) if a variable is for no key, or if its value is wrong for its key.
[[nodiscard]] Result<config::Variables> read_client_variables(const char* const* environment);

}  // namespace hansa::client
