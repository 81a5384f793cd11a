// The runs of a place, by name. One thread at a time.
//
// Implementations: folders on disk (open_catalogue), and memory for tests (memory_catalogue.h). This header is the only way by
// which setup, the aggregator's process and the tools come to a run.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "server/retention/retention.h"
#include "server/store/run.h"

namespace hansa::server {

class RunCatalogue {
 public:
  virtual ~RunCatalogue() = default;

  // All names; the run that was worked on last comes first. A place that does not exist yet has none.
  [[nodiscard]] virtual Result<std::vector<std::string>> list() = 0;
  // Fails (storage) if there is a run of this name.
  [[nodiscard]] virtual Result<std::unique_ptr<Run>> create(const std::string& name,
                                                            const Retention& retention) = 0;
  // For the one aggregator that works on the run. Removes models and deltas that no committed round names, and what the
  // retention does not want. Fails (storage) if another process works on it, or a newer Hansa wrote it.
  [[nodiscard]] virtual Result<std::unique_ptr<Run>> open(const std::string& name,
                                                          const Retention& retention) = 0;
  // To look at, also while an aggregator works on it; what would write fails (usage).
  [[nodiscard]] virtual Result<std::unique_ptr<Run>> open_read_only(const std::string& name) = 0;
  // For messages.
  [[nodiscard]] virtual std::string location() const = 0;
};

// The folder's subfolders are the runs.
[[nodiscard]] std::unique_ptr<RunCatalogue> open_catalogue(const std::filesystem::path& folder);
// The run that a command line names, to look at: its folder.
[[nodiscard]] Result<std::unique_ptr<Run>> open_run_read_only(const std::filesystem::path& run);

}  // namespace hansa::server
