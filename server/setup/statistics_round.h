// The round that computes the statistics of the clients' data before a run begins: its configuration, and what it found.
//
// It is a round of the same coordinator and engine as every other, with secure aggregation if that is on: of all suitable
// clients, with the method "statistics", and with a vector of zeros in the place of the model. What it makes is the mean
// of the clients' digits (common/column_statistics.h).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "common/column_statistics.h"
#include "common/error.h"
#include "server/config/federation_config.h"
#include "server/setup/run_setup.h"

namespace hansa::server {

struct StatisticsRound {
  // In memory: the statistics are stored with the run, which begins at once when they are known.
  std::unique_ptr<Run> store;
  CoordinatorConfig coordinator;  // the caller sets session_seed
  ServerOptimizerConfig optimizer;
};

// run: a prepared run that needs statistics. The round waits for all admitted clients, up to cohort.gather.
[[nodiscard]] Result<StatisticsRound> prepare_statistics_round(const FederationConfig& config,
                                                               const PreparedRun& run,
                                                               std::vector<std::string> admitted);
// What its round found, from the store that it was committed to. Fails (protocol) if no data has such statistics.
[[nodiscard]] Result<ColumnStatistics> committed_statistics(Store& store, std::uint32_t columns);

}  // namespace hansa::server
