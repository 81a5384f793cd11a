// The statistics of the clients' data, before the first round of a run: an engine of its own on the aggregator's socket.
//
// When its round is committed, the clients are sent Bye and come back: the run's engine is the next one.
#pragma once
#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/column_statistics.h"
#include "common/service_manager.h"
#include "protocols/enrolment/certificate_folder.h"
#include "protocols/transport/server_channel.h"
#include "server/engine/engine.h"
#include "server/process/admission_folder.h"
#include "server/process/progress_display.h"
#include "server/setup/statistics_round.h"

namespace hansa::server::internal {

struct StatisticsParts {
  transport::ServerChannel& channel;
  AdmissionFolder& admission;
  std::vector<std::string>& admitted;  // changed with the folder
  enrolment::CertificateFolder* certificates;  // null without secure aggregation
  ProgressDisplay& display;
  ServiceManager& manager;
  std::function<void(Log::Level, const std::string&)> log;
  std::function<void(const Error&)> on_refused;  // connections
};

// engine: what does not depend on the round, that is certificates, archive and clocks. Empty: stopped. Fails (quorum) if a
// limit of [cohort] ends the wait, (protocol) if no data has the statistics that were found, and as an engine does.
[[nodiscard]] Result<std::optional<ColumnStatistics>> gather_statistics(const FederationConfig& config,
                                                                        const PreparedRun& run,
                                                                        EngineConfig engine,
                                                                        const StatisticsParts& parts,
                                                                        const std::atomic<bool>& stop);

}  // namespace hansa::server::internal
