// Enrolment in the aggregator's process.
#pragma once
#include <memory>
#include <string>

#include "common/error.h"
#include "common/logging.h"
#include "protocols/transport/keys.h"
#include "server/config/devices_config.h"
#include "server/config/federation_config.h"
#include "server/enrolment/enrolment_server.h"

namespace hansa::server::internal {

// Opens the port on which devices join, at `bind`. devices_config has [enrolment]. channel_endpoint: where clients reach the aggregator, if nothing else is known.
[[nodiscard]] Result<std::unique_ptr<EnrolmentServer>> start_enrolment(
    const FederationConfig& config, const DevicesConfig& devices_config, const std::string& bind,
    const transport::SecretKey& key, const std::string& channel_endpoint, const Logger& log);

}  // namespace hansa::server::internal
