// A run in the layout of MLflow's file store (mlruns/), which `mlflow ui --backend-store-uri DIR` shows:
//
//   DIR/EXPERIMENT/meta.yaml             the experiment: the federation
//   DIR/EXPERIMENT/RUN/meta.yaml         the run: name, status, start and end (milliseconds since 1970)
//   DIR/EXPERIMENT/RUN/metrics/NAME      a line "MILLISECONDS VALUE ROUND" for each value of a series
//   DIR/EXPERIMENT/RUN/params/NAME       a setting; tags/NAME: a tag
//   DIR/EXPERIMENT/RUN/artifacts/        files
//
// The identifiers are derived from the names of federation and run, so that a second export replaces the first.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "server/output/run_view.h"

namespace hansa::server {

enum class MlflowStatus : std::uint8_t { running = 1, finished = 3, killed = 5 };  // RunStatus of MLflow

struct MlflowRun {
  const RunView& view;
  MlflowStatus status = MlflowStatus::finished;
  std::vector<std::pair<std::string, std::string>> settings;  // become params
};
// Writes the run, and the experiment if it is missing. A file that this program wrote and the run no longer has stays.
// Returns the run's folder. Fails (storage) if a file cannot be written.
[[nodiscard]] Result<std::filesystem::path> write_mlflow_run(const std::filesystem::path& folder,
                                                             const MlflowRun& run);

}  // namespace hansa::server
