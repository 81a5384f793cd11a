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

#include "common/error.h"
#include "server/config/federation_config.h"
#include "server/coordinator/coordinator.h"
#include "server/evaluation/model_process.h"
#include "server/store/run_catalogue.h"

namespace hansa::server {

enum class RunChoice : std::uint8_t {
  resume_or_new,  // the newest unfinished run of this federation; a new one if there is none
  new_run,
};

enum class Approval : std::uint8_t {
  needed,  // clients on other machines train the model
  unused,  // all clients are in this process
};

struct RunRequest {
  RunChoice choice = RunChoice::resume_or_new;
  // "RUN@ROUND": a new run starts from this committed round of another run. Empty: from the archive.
  std::string from;
  Approval approval = Approval::needed;
};

struct PreparedRun {
  std::unique_ptr<Run> store;
  std::string run;  // its name
  std::filesystem::path archive;  // the run's, as a file
  CoordinatorConfig coordinator;  // the caller sets session_seed and admitted
  ServerOptimizerConfig optimizer;
  std::vector<StateVector> initial_state;  // before round 1
  bool resumed = false;
  RoundId position;
  std::vector<std::string> notes;  // for the operator's log
};

// Reads the archive's layout and values: in a child process, or with LibTorch in this process.
using DescribeArchive = std::function<Result<ArchiveFacts>(const std::filesystem::path& archive,
                                                           std::span<const std::string> personal)>;

// runs: the catalogue of config.runs. Removes what no committed round names from all of them before anything else. Fails
// (storage) if the newest run is damaged and request.choice is resume_or_new.
[[nodiscard]] Result<PreparedRun> prepare_run(const FederationConfig& config, RunCatalogue& runs,
                                              const RunRequest& request, const DescribeArchive& describe);

// The newest run of this federation and its last committed round. Fails with `quorum` while there is none.
struct Health {
  std::string run;  // its location
  RoundId last;
};
[[nodiscard]] Result<Health> read_health(const FederationConfig& config, RunCatalogue& runs);

// The sorted names of all files NAME.pub in the folder.
[[nodiscard]] std::vector<std::string> admitted_names(const std::filesystem::path& folder);

}  // namespace hansa::server
