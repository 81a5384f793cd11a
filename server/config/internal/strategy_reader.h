// Reads [strategy] with the tables of its options, and refuses combinations that cannot work.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/config/document.h"
#include "common/error.h"
#include "common/methods.h"
#include "server/aggregation/aggregation_config.h"
#include "server/methods/rate_schedule.h"
#include "server/optimizers/optimizer_config.h"
#include "server/selection/selection_config.h"

namespace hansa::server {
struct FederationConfig;
}

namespace hansa::server::internal {

// The method with the options of [training] and its own options of [strategy.METHOD]. Fails if a client would refuse it.
[[nodiscard]] Result<Method> read_method(const config::Document& document,
                                         const std::vector<std::string>& personal);
// Fails if a schedule that needs a last round has none. rounds: of the federation; 0: no end.
[[nodiscard]] Result<RateSchedule> read_rate_schedule(const config::Document& document, std::uint32_t rounds);
[[nodiscard]] SelectionConfig read_selection(const config::Document& document);
[[nodiscard]] ServerOptimizerConfig read_optimizer(const config::Document& document);
[[nodiscard]] AggregationConfig read_aggregation(const config::Document& document);

// Fails (usage) if selection or aggregation cannot be used with the other settings, which have been read. Says what is
// possible.
[[nodiscard]] Result<void> check_strategy(const config::Document& document, const FederationConfig& config);

// A sentence for each [strategy.NAME] that is written and that nothing uses.
[[nodiscard]] std::vector<std::string> unused_strategies(const config::Document& document);

}  // namespace hansa::server::internal
