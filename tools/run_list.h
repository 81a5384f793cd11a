// The runs below a folder: what `hansa runs` prints, and which one `hansa status` takes.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "server/store/metric_course.h"
#include "server/store/run_listing.h"

namespace hansa::tools {

using server::MetricCourse;
using server::MetricOf;
using server::RunState;

struct RunSummary {
  std::string name;  // below the listed folder: "mine-20260102-030405", "simulated/mine-20260102-030405"
  std::filesystem::path folder;
  RunState state = RunState::empty;
  std::string reason;  // why it cannot be read
  std::string federation;
  std::string started;  // RFC 3339, UTC; from the recorded name, else the first round's; may be empty
  std::string started_from;  // "RUN@ROUND" of --from, or empty
  std::uint32_t rounds = 0;  // committed
  std::string end;  // why it has all of its rounds; empty: it has not
  std::optional<MetricCourse> metric;
};

// `path` is a folder of runs, a federation's folder, or a federation.toml; returns the folder of runs. Fails (usage) if
// there is none.
[[nodiscard]] Result<std::filesystem::path> find_runs_folder(const std::filesystem::path& path);

// All runs in the folder and in its subfolders that are no runs, oldest first. metric: a name, or empty: accuracy if
// the run has it, else its first metric. A run that cannot be read is in the list, with the reason.
[[nodiscard]] Result<std::vector<RunSummary>> list_runs(const std::filesystem::path& folder,
                                                        const std::string& metric = {});

// The newest run of a folder of runs, without its subfolders' runs. Empty: none has begun, or there is no such folder.
[[nodiscard]] Result<std::optional<std::filesystem::path>> find_begun_run(const std::filesystem::path& runs);

// The run folder that a command line names: a run, or the newest run of a folder of runs (find_runs_folder), without
// its subfolders' runs. Fails (usage) if the folder has no run that began.
[[nodiscard]] Result<std::filesystem::path> find_run(const std::filesystem::path& path);

}  // namespace hansa::tools
