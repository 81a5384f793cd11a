// The statistics of the clients' data, before the first round of a run: an engine of its own on the aggregator's socket.
//
// When its round is committed, the clients are sent Bye and come back: the run's engine is the next one.
#pragma once
#include <atomic>
#include <optional>

#include "common/column_statistics.h"
#include "server/engine/engine.h"
#include "server/process/internal/host.h"
#include "server/setup/statistics_round.h"

namespace hansa::server::internal {

// engine: what does not depend on the round, that is certificates, archive and clocks. Empty: stopped. Fails (quorum) if a
// limit of [cohort] ends the wait, (protocol) if no data has the statistics that were found, and as an engine does.
[[nodiscard]] Result<std::optional<ColumnStatistics>> gather_statistics(const FederationConfig& config,
                                                                        const PreparedRun& run,
                                                                        EngineConfig engine, Host& host,
                                                                        const std::atomic<bool>& stop);

}  // namespace hansa::server::internal
