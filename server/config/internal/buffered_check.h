// What goes with cohort.mode = "buffered".
#pragma once
#include <string>
#include <vector>

#include "common/config/document.h"
#include "common/error.h"
#include "server/config/federation_config.h"

namespace hansa::server::internal {

// Fails (usage), with the reason, if the configuration has a setting that cannot work with the mode. The rest of the
// configuration is read.
[[nodiscard]] Result<void> check_buffered(const config::Document& document, const FederationConfig& config);

// For the operator: settings of the mode that is not chosen, and of cohorts that the mode does not have.
[[nodiscard]] std::vector<std::string> unused_cohort_settings(const config::Document& document,
                                                              const FederationConfig& config);

}  // namespace hansa::server::internal
