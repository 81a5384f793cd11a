// Prepares a run from federation.toml: its run folder, model and seeds. The aggregator's process and the simulation
// share it, so that both create the same run.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/column_statistics.h"
#include "common/error.h"
#include "common/page_memory.h"
#include "server/config/federation_config.h"
#include "server/coordinator/coordinator.h"
#include "server/evaluation/model_process.h"
#include "server/setup/run_request.h"
#include "server/store/run_catalogue.h"

namespace hansa::server {

// A new run whose statistics are not known yet: what begin() stores with them.
struct UnbegunRun {
  RunIdentity identity;
  PageVector<float> initial_model;
};

struct PreparedRun {
  std::unique_ptr<Run> store;
  std::string run;  // its name
  std::filesystem::path archive;  // the run's, as a file
  CoordinatorConfig coordinator;  // the caller sets session_seed and admitted
  ServerOptimizerConfig optimizer;
  std::vector<std::uint64_t> layer_sizes;  // EngineConfig::layer_sizes
  std::vector<StateVector> initial_state;  // before round 1
  // Of the clients' data, as the tasks' input statistics_input (common/column_statistics.h). Empty: the federation has
  // none, or the run is unbegun.
  std::vector<float> statistics;
  std::optional<UnbegunRun> unbegun;  // set: the run begins with begin()
  bool resumed = false;
  std::string why;  // it is resumed, or a new run: completes "because"
  RoundId position;
  std::vector<std::string> notes;  // for the operator's log
};

// Reads the archive's layout and values: in a child process, or with LibTorch in this process.
using DescribeArchive = std::function<Result<ArchiveFacts>(const std::filesystem::path& archive,
                                                           std::span<const std::string> personal)>;

// runs: the catalogue of config.runs. Removes what no committed round names from all of them before anything else. Fails
// as decide_run does (run_decision.h). A new run of a federation with statistics takes them over from the run that it starts
// from, or, if it is a production run, from the newest run. Otherwise it is unbegun.
[[nodiscard]] Result<PreparedRun> prepare_run(const FederationConfig& config, RunCatalogue& runs,
                                              const RunRequest& request, const DescribeArchive& describe);

// Begins an unbegun run with its statistics, which are durable when it returns. Fails as the store does.
[[nodiscard]] Result<void> begin(PreparedRun& run, const FederationConfig& config,
                                 const ColumnStatistics& statistics);

// The newest run of this federation and its last committed round. Fails with `quorum` while there is none.
struct Health {
  std::string run;  // its location
  RoundId last;
};
[[nodiscard]] Result<Health> read_health(const FederationConfig& config, RunCatalogue& runs);

// The sorted names of all files NAME.pub in the folder.
[[nodiscard]] std::vector<std::string> admitted_names(const std::filesystem::path& folder);

}  // namespace hansa::server
