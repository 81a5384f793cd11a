// `Run` of the API.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "server/config/federation_config.h"
#include "server/monitor/run_source.h"

namespace hansa::server::internal {

// config: of the run; null: not known. Reads rounds if the run's best one must be found.
[[nodiscard]] nlohmann::ordered_json api_run(RunSource& run, const FederationConfig* config);

}  // namespace hansa::server::internal
