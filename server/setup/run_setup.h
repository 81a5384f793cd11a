// From federation.toml to a run that can start: which run folder, which model, which seeds.
// The aggregator's process and the simulation share it, so that both make the same run.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "common/error.h"
#include "server/config/federation_config.h"
#include "server/coordinator/coordinator.h"
#include "server/evaluation/model_process.h"
#include "server/store/run_folder.h"

namespace hansa::server {

enum class RunChoice : std::uint8_t {
  resume_or_new,  // the newest unfinished run of this federation, else a new one
  new_run,
};

struct RunRequest {
  RunChoice choice = RunChoice::resume_or_new;
  std::string from;  // "RUN@ROUND": a new run that starts from a committed round of another; or empty
};

struct PreparedRun {
  std::unique_ptr<RunFolder> store;
  std::string run;  // its name
  CoordinatorConfig coordinator;  // session_seed and admitted are the caller's to fill in
  ServerOptimizerConfig optimizer;
  std::vector<StateVector> initial_state;  // before round 1
  bool resumed = false;
  RoundId position;
};

// How the archive's layout and values are found: in a child process, or with LibTorch in this one.
using DescribeArchive = std::function<Result<ArchiveFacts>(const std::filesystem::path& archive,
                                                           std::span<const std::string> personal)>;

[[nodiscard]] Result<PreparedRun> prepare_run(const FederationConfig& config, const RunRequest& request,
                                              const DescribeArchive& describe);

// The newest run of this federation and its last committed round. Fails (quorum) while there is none.
struct Health {
  std::filesystem::path run;
  RoundId last;
};
[[nodiscard]] Result<Health> read_health(const FederationConfig& config);

// Names of all NAME.pub in the folder, sorted.
[[nodiscard]] std::vector<std::string> admitted_names(const std::filesystem::path& folder);

// RFC 3339 in UTC, to the second.
[[nodiscard]] std::string utc_now();

}  // namespace hansa::server
